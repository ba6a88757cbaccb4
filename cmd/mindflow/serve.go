package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"

	"mindflow/cmd/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server"
	"mindflow/server/admin"
	"mindflow/web"
)

// serveFlags are the settings of `serve`.
type serveFlags struct {
	server    server.Config
	codecs    list
	maxPixels int
	admin     string // "" is none
	engine    *engine.Settings
}

func newServeFlags(fs *flag.FlagSet) *serveFlags {
	s := &serveFlags{}
	fs.StringVar(&s.server.Listen, "listen", "127.0.0.1:8080", "HTTP `address`")
	fs.StringVar(&s.server.Media, "media", ":8189", "UDP `address` that all media of all sessions use")
	fs.IntVar(&s.server.MaxSessions, "max-sessions", 16, "sessions at a time; newcomers beyond are told to come back")
	fs.Var((*list)(&s.server.AllowOrigins), "allow-origin", "`origin` of pages elsewhere that may embed the widget; several: repeat or use commas")
	fs.IntVar(&s.maxPixels, "max-pixels", avdec.DefaultMaxPixels, "pixels of a frame; larger ones are refused before they are decoded")
	fs.IntVar(&s.server.MaxSide, "max-side", 640, "pixels of a frame's longer side that pages are asked to send at most; 0 asks for nothing")
	fs.IntVar(&s.server.MaxFramerate, "max-framerate", 30, "frames a second that pages are asked to send at most, fewer while the server is busy; 0 asks for nothing")
	fs.Var(&s.codecs, "codecs", "`codecs` to take, of VP8, H264, VP9 and AV1, in order of preference; all in the publisher's order where none is named")
	fs.StringVar(&s.admin, "admin", "", "another HTTP `address`, such as 127.0.0.1:8081, for profiles of the running server: for operators only, since it asks for no password; none where not named")
	s.engine = engine.Flags(fs)
	return s
}

func (s *serveFlags) check() error {
	switch {
	case s.server.MaxSessions < 1:
		return fmt.Errorf("--max-sessions %d: use 1 or more", s.server.MaxSessions)
	case s.maxPixels < 1:
		return fmt.Errorf("--max-pixels %d: use 1 or more, such as %d", s.maxPixels, avdec.DefaultMaxPixels)
	case s.server.MaxSide != 0 && s.server.MaxSide < server.LeastSide:
		return fmt.Errorf("--max-side %d: use %d or more, or 0 to ask for nothing", s.server.MaxSide, server.LeastSide)
	case s.server.MaxFramerate < 0:
		return fmt.Errorf("--max-framerate %d: use 1 or more, or 0 to ask for nothing", s.server.MaxFramerate)
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
		if !isOrigin(origin) {
			return fmt.Errorf("--allow-origin %s: use scheme and host as browsers send them, such as https://example.org, or *", origin)
		}
	}
	return s.engine.Check()
}

// isOrigin says whether a browser's Origin can be text (RFC 6454, section 6.2: no path, no slash at the end), or * for all.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return text == "*" || err == nil && u.Host != "" && text == u.Scheme+"://"+u.Host
}

// config is what the server is made with.
func (s *serveFlags) config() server.Config {
	cfg := s.server
	for _, name := range s.codecs {
		cfg.Codecs = append(cfg.Codecs, pipeline.Codec(name))
	}
	cfg.Site, cfg.Version, cfg.Log = web.Files, release, slog.New(slog.NewTextHandler(os.Stderr, nil))
	return cfg
}

func serve(ctx context.Context, args []string, out io.Writer) (err error) {
	fs := flag.NewFlagSet("mindflow serve", flag.ContinueOnError)
	settings := newServeFlags(fs)
	onlyPrint := fs.Bool(printFlag, false, "print the settings and where each comes from, as a settings file, and end")
	rest, from, err := parseSources(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("serve takes no argument %q; mindflow serve --help lists the flags", rest[0])
	}
	if err := settings.check(); err != nil {
		return err
	}
	if *onlyPrint {
		return printConfig(out, fs, from)
	}
	e, err := engine.Open(*settings.engine)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := e.Fill(*settings.engine); err != nil {
		return err
	}
	cfg := settings.config()
	if settings.admin != "" {
		a, failed := admin.Listen(settings.admin)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		cfg.Log.Info("serving operators", "http", a.Addr().String())
	}
	s, err := server.New(cfg, server.Engine{
		OpenDecoder: func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, settings.maxPixels) },
		Analyses:    e.Analyses,
		Scheduler:   e.Scheduler,
	})
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}
