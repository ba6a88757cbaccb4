package settings

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server"
	"mindflow/server/access"
	"mindflow/server/offer"
	"mindflow/server/session"
)

// Serve holds the settings of serve, which doctor checks too.
type Serve struct {
	Server    server.Config
	Codecs    List
	MaxPixels int
	Decode    Decode
	Admin     string // optional
	TLS       TLS
	Log       Log
	Supervise bool
	Access    Access
	ICE       ICE
	Admission Admission
	Engine    engine.Settings
}

// ServeFlags declares the flags of serve.
func ServeFlags(fs *flag.FlagSet) *Serve {
	s := &Serve{Engine: engine.Default()}
	fs.StringVar(&s.Server.Listen, "listen", "127.0.0.1:8080", "HTTP `address`; of HTTPS, where a certificate is "+
		"chosen, which makes it :443, or :8443 with --tls-self-signed, where not named")
	fs.StringVar(&s.Server.Media, "media", ":8189", "UDP `address` that all media of all sessions use")
	fs.Var((*List)(&s.Server.AllowOrigins), "allow-origin", "`origin` of pages elsewhere that may embed the widget; "+
		"several: repeat or use commas")
	fs.Var((*List)(&s.Server.FrameAncestors), "frame-ancestors", "`origins` of pages that may show the page in a "+
		"frame, or self, none or *; the server's own and those of --allow-origin where none is named, but for *")
	fs.IntVar(&s.MaxPixels, "max-pixels", avdec.DefaultMaxPixels, "pixels of a frame; larger ones are refused before "+
		"they are decoded")
	s.Decode.declare(fs)
	fs.IntVar(&s.Server.MaxSide, "max-side", 640, "pixels of a frame's longer side that pages are asked to send at "+
		"most; 0 asks for nothing")
	fs.IntVar(&s.Server.MaxFramerate, "max-framerate", 30, "frames a second that pages are asked to send at most, "+
		"fewer while the server is busy; 0 asks for nothing")
	fs.Var(&s.Codecs, "codecs", "`codecs` to take, of VP8, H264, VP9 and AV1, in order of preference; all in the "+
		"publisher's order where none is named")
	fs.StringVar(&s.Admin, "admin", "", "another HTTP `address`, such as 127.0.0.1:8081, for metrics (/metrics), "+
		"/readyz and profiles of the running server: for operators only, since it asks for no password; none where "+
		"not named")
	fs.DurationVar(&s.Server.Grace, "grace", 5*time.Second, "time that sessions have to go elsewhere when the server "+
		"is to stop; a second signal ends them at once")
	s.Log.declare(fs)
	fs.BoolVar(&s.Supervise, "supervise", false, "serve in a process of its own, which is started again after a fault")
	s.TLS.declare(fs)
	s.ICE.declare(fs)
	s.Access.declare(fs)
	s.Admission.declare(fs, &s.Server)
	s.Engine.LoadFast = true
	s.Engine.Device.Name = engine.Auto // a server runs long; the other commands start at once
	EngineFlags(fs, &s.Engine)
	return s
}

// Check checks the settings, but for those of access.
func (s *Serve) Check() error {
	switch {
	case s.MaxPixels < 1:
		return fmt.Errorf("--max-pixels %d: use 1 or more, such as %d", s.MaxPixels, avdec.DefaultMaxPixels)
	case s.Server.MaxSide != 0 && s.Server.MaxSide < session.LeastSide:
		return fmt.Errorf("--max-side %d: use %d or more, or 0 to ask for nothing", s.Server.MaxSide, session.LeastSide)
	case s.Server.MaxFramerate < 0:
		return fmt.Errorf("--max-framerate %d: use 1 or more, or 0 to ask for nothing", s.Server.MaxFramerate)
	case s.Server.Grace < 0 || s.Server.Grace > time.Hour:
		return fmt.Errorf("--grace %v: use 0s to 1h", s.Server.Grace)
	}
	if err := errors.Join(s.Log.check(), s.Decode.check()); err != nil {
		return err
	}
	for _, check := range []func() error{
		s.checkCodecs, s.checkOrigins, s.Admission.check, s.checkAncestors, s.TLS.check, s.ICE.check,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	if s.ICE.TurnTLS != "" && !s.TLS.On() {
		return errors.New("--turn-tls without HTTPS: use --tls-cert, --tls-domain or --tls-self-signed, or leave it " +
			"out")
	}
	return s.Engine.Check()
}

// checkCodecs checks the codecs and hands them to the server's configuration.
func (s *Serve) checkCodecs() error {
	s.Server.Codecs = nil
	for i, name := range s.Codecs {
		if slices.Contains(s.Codecs[:i], name) {
			return fmt.Errorf("--codecs %s: it is named twice", name)
		}
		if !slices.Contains(offer.AllCodecs(), pipeline.Codec(name)) {
			return fmt.Errorf("--codecs %s: use some of %v", name, offer.AllCodecs())
		}
		s.Server.Codecs = append(s.Server.Codecs, pipeline.Codec(name))
	}
	return nil
}

func (s *Serve) checkOrigins() error {
	for _, origin := range s.Server.AllowOrigins {
		if origin != "*" && !access.IsOrigin(origin) {
			return fmt.Errorf("--allow-origin %s: use scheme and host as browsers send them, such as "+
				"https://example.org, or *", origin)
		}
	}
	return nil
}

// checkAncestors accepts words and origins that a Content-Security-Policy can hold.
func (s *Serve) checkAncestors() error {
	for _, a := range s.Server.FrameAncestors {
		switch {
		case a == "none" && len(s.Server.FrameAncestors) > 1:
			return fmt.Errorf("--frame-ancestors none: name nothing beside it")
		case a == "self" || a == "none" || a == "*":
		case !access.IsOrigin(a) || strings.ContainsAny(a, ";'"):
			return fmt.Errorf("--frame-ancestors %s: use self, none, * or scheme and host as browsers send them, such "+
				"as https://example.org", a)
		}
	}
	return nil
}

// Decode is the setting of what decodes video: auto, cpu, cuda or cuda:N.
type Decode string

func (d *Decode) declare(fs *flag.FlagSet) {
	fs.StringVar((*string)(d), "decode", "auto", "what decodes video: cpu, cuda or cuda:N (an NVIDIA graphics card's "+
		"decoder, through libavcodec), or auto: cuda where it is there and decodes a test picture of the codec, else "+
		"cpu")
}

func (d Decode) check() error {
	if d.Auto() || d == "cpu" || avdec.IsHardware(string(d)) {
		return nil
	}
	return fmt.Errorf("--decode %s: use auto, cpu, cuda or cuda:N", string(d))
}

// Auto reports whether the CPU decodes where no device does.
func (d Decode) Auto() bool { return d == "auto" }

// Device returns the device to try, or "" for the CPU.
func (d Decode) Device() string {
	switch d {
	case "cpu":
		return ""
	case "auto":
		return "cuda"
	}
	return string(d)
}
