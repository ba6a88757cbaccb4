package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server"
	"mindflow/server/access"
	"mindflow/server/operate"
	"mindflow/web"
)

// serveFlags are the settings of `serve`.
type serveFlags struct {
	server    server.Config
	codecs    list
	maxPixels int
	decode    decodeFlag
	admin     string // "" is none
	tls       *tlsFlags
	log       logFlags
	supervise bool
	access    accessFlags
	reach     *reachFlags
	admit     *admitFlags
	engine    engine.Settings
}

func newServeFlags(fs *flag.FlagSet) *serveFlags {
	s := &serveFlags{engine: engine.Default()}
	fs.StringVar(&s.server.Listen, "listen", "127.0.0.1:8080", "HTTP `address`; of HTTPS, where a certificate is chosen, which makes it :443, or :8443 with --tls-self-signed, where not named")
	fs.StringVar(&s.server.Media, "media", ":8189", "UDP `address` that all media of all sessions use")
	fs.Var((*list)(&s.server.AllowOrigins), "allow-origin", "`origin` of pages elsewhere that may embed the widget; several: repeat or use commas")
	fs.Var((*list)(&s.server.FrameAncestors), "frame-ancestors", "`origins` of pages that may show the page in a frame, or self, none or *; the server's own and those of --allow-origin where none is named, but for *")
	fs.IntVar(&s.maxPixels, "max-pixels", avdec.DefaultMaxPixels, "pixels of a frame; larger ones are refused before they are decoded")
	s.decode.declare(fs)
	fs.IntVar(&s.server.MaxSide, "max-side", 640, "pixels of a frame's longer side that pages are asked to send at most; 0 asks for nothing")
	fs.IntVar(&s.server.MaxFramerate, "max-framerate", 30, "frames a second that pages are asked to send at most, fewer while the server is busy; 0 asks for nothing")
	fs.Var(&s.codecs, "codecs", "`codecs` to take, of VP8, H264, VP9 and AV1, in order of preference; all in the publisher's order where none is named")
	fs.StringVar(&s.admin, "admin", "", "another HTTP `address`, such as 127.0.0.1:8081, for metrics (/metrics), /readyz and profiles of the running server: for operators only, since it asks for no password; none where not named")
	fs.DurationVar(&s.server.Grace, "grace", 5*time.Second, "time that sessions have to go elsewhere when the server is to stop; a second signal ends them at once")
	s.log.declare(fs)
	fs.BoolVar(&s.supervise, "supervise", false, "serve in a process of its own, which is started again after a fault")
	s.tls, s.reach = newTLSFlags(fs), newReachFlags(fs)
	s.access.declare(fs)
	s.admit = newAdmitFlags(fs, &s.server)
	s.engine.Many = true
	s.engine.Device.Name = engine.Auto // a server runs long; the other commands start at once
	settings.EngineFlags(fs, &s.engine)
	return s
}

func (s *serveFlags) check() error {
	switch {
	case s.maxPixels < 1:
		return fmt.Errorf("--max-pixels %d: use 1 or more, such as %d", s.maxPixels, avdec.DefaultMaxPixels)
	case s.server.MaxSide != 0 && s.server.MaxSide < server.LeastSide:
		return fmt.Errorf("--max-side %d: use %d or more, or 0 to ask for nothing", s.server.MaxSide, server.LeastSide)
	case s.server.MaxFramerate < 0:
		return fmt.Errorf("--max-framerate %d: use 1 or more, or 0 to ask for nothing", s.server.MaxFramerate)
	}
	if s.server.Grace < 0 || s.server.Grace > time.Hour {
		return fmt.Errorf("--grace %v: use 0s to 1h", s.server.Grace)
	}
	if err := errors.Join(s.log.check(), s.decode.check()); err != nil {
		return err
	}
	for i, name := range s.codecs {
		if slices.Contains(s.codecs[:i], name) {
			return fmt.Errorf("--codecs %s: it is named twice", name)
		}
		if !slices.Contains(server.Codecs(), pipeline.Codec(name)) {
			return fmt.Errorf("--codecs %s: use some of %v", name, server.Codecs())
		}
	}
	for _, origin := range s.server.AllowOrigins {
		if origin != "*" && !access.IsOrigin(origin) {
			return fmt.Errorf("--allow-origin %s: use scheme and host as browsers send them, such as https://example.org, or *", origin)
		}
	}
	if err := s.admit.check(); err != nil {
		return err
	}
	if err := checkAncestors(s.server.FrameAncestors); err != nil {
		return err
	}
	for _, check := range []func() error{s.tls.check, s.reach.check} {
		if err := check(); err != nil {
			return err
		}
	}
	if s.reach.turnTLS != "" && !s.tls.on() {
		return errors.New("--turn-tls without HTTPS: use --tls-cert, --tls-domain or --tls-self-signed, or leave it out")
	}
	return s.engine.Check()
}

// checkAncestors wants words and origins that a Content-Security-Policy can hold.
func checkAncestors(list []string) error {
	for _, a := range list {
		switch {
		case a == "none" && len(list) > 1:
			return fmt.Errorf("--frame-ancestors none: name nothing beside it")
		case a == "self" || a == "none" || a == "*":
		case !access.IsOrigin(a) || strings.ContainsAny(a, ";'"):
			return fmt.Errorf("--frame-ancestors %s: use self, none, * or scheme and host as browsers send them, such as https://example.org", a)
		}
	}
	return nil
}

// config is what the server is made with.
func (s *serveFlags) config() server.Config {
	cfg := s.server
	for _, name := range s.codecs {
		cfg.Codecs = append(cfg.Codecs, pipeline.Codec(name))
	}
	cfg.Version, cfg.Log = release, s.log.open(os.Stderr)
	cfg.Metrics, cfg.Readiness = operate.NewMetrics(release), &operate.Readiness{}
	return cfg
}

func serve(ctx context.Context, args []string, out io.Writer) (err error) {
	fs := flag.NewFlagSet("mindflow serve", flag.ContinueOnError)
	s := newServeFlags(fs)
	onlyPrint := fs.Bool(printFlag, false, "print the settings and where each comes from, as a settings file, and end")
	rest, from, err := parseSources(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("serve takes no argument %q; mindflow serve --help lists the flags", rest[0])
	}
	if err := s.check(); err != nil {
		return err
	}
	if err := s.access.check(s.server.Listen, from); err != nil {
		return err
	}
	if *onlyPrint {
		return printConfig(out, fs, from)
	}
	if s.supervise {
		return supervise(args, s.log.open(os.Stderr))
	}
	return s.serve(ctx, out)
}

// serve serves until ctx ends.
func (s *serveFlags) serve(ctx context.Context, out io.Writer) (err error) {
	cfg := s.config()
	if cfg.Access, err = s.access.gate(cfg.Log); err != nil {
		return err
	}
	if cfg.Site, err = web.Site(); err != nil {
		return err
	}
	if s.admin != "" { // first, so that operators see what goes on while the models are loaded
		a, failed := operate.ListenAdmin(s.admin, map[string]http.Handler{"/metrics": cfg.Metrics.Handler(), "/readyz": cfg.Readiness})
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		cfg.Log.Info("serving operators", "http", a.Addr().String())
	}
	s.engine.Batch.OnBatch = cfg.Metrics.Batch
	s.engine.Fell = func(network, device string, why error) {
		cfg.Metrics.Errors.WithLabelValues("device").Inc()
		cfg.Log.Error("a network failed on its device and goes on on the CPU", "network", network, "device", device, "err", why)
	}
	var told []func() // what the machine was found to have, said once the server stands: a start that fails says why in one line
	tell := func(text string, args ...any) { told = append(told, func() { cfg.Log.Info(text, args...) }) }
	s.engine.Device.Note = func(text string) { tell("choosing what networks run on", "device", text) }
	tryDevices(ctx, &s.engine)
	s.engine.Warming = func(network string, batch, most int) {
		cfg.Log.Info("preparing a network for a size of batch", "network", network, "batch", batch, "most", most)
	}
	e, err := engine.Open(s.engine)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for _, note := range e.Notes {
		cfg.Log.Warn(note)
	}
	if err := e.Fill(s.engine); err != nil {
		return err
	}
	countC(cfg.Metrics)
	secured, err := s.tls.open(cfg.Listen, cfg.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, secured.close()) }()
	cfg.TLS = secured.config
	found := s.reach.open(&cfg)
	defer func() { err = errors.Join(err, found.Close()) }()
	opener, err := s.decode.open(s.maxPixels, tell, cfg.Log, cfg.Metrics)
	if err != nil {
		return err
	}
	defer opener.close()
	running, err := server.New(cfg, server.Engine{
		OpenDecoder: opener.decoder,
		Analyses:    e.Analyses,
		Scheduler:   e.Scheduler,
		Degraded:    e.Degraded,
	})
	if err != nil {
		return err
	}
	for _, say := range told {
		say()
	}
	if err := secured.begin(running.Addr(), out); err != nil {
		return errors.Join(err, running.Close())
	}
	defer hurry(running.Hurry)()
	return running.Serve(ctx)
}

// countC tells how many objects live in C's memory, which a session that ends must give back.
func countC(m *operate.Metrics) {
	m.GaugeVecFunc("c_objects", "Objects in C's memory that belong to sessions.", "kind", func() map[string]uint64 {
		return map[string]uint64{"decoder": uint64(avdec.Live())}
	})
}
