package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"mindflow/cmd/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server"
	"mindflow/web"
)

func serve(ctx context.Context, args []string, _ io.Writer) (err error) {
	fs := flag.NewFlagSet("mindflow serve", flag.ContinueOnError)
	cfg := server.Config{Site: web.Files, Version: release, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	fs.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "HTTP `address`")
	fs.StringVar(&cfg.Media, "media", ":8189", "UDP `address` that all media of all sessions use")
	fs.IntVar(&cfg.MaxSessions, "max-sessions", 16, "sessions at a time; newcomers beyond are told to come back")
	fs.Var((*list)(&cfg.AllowOrigins), "allow-origin", "`origin` of pages elsewhere that may embed the widget; several: repeat or use commas")
	maxPixels := fs.Int("max-pixels", avdec.DefaultMaxPixels, "pixels of a frame; larger ones are refused before they are decoded")
	settings := engine.Flags(fs)
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("serve takes no argument %q; mindflow serve --help lists the flags", rest[0])
	}
	switch {
	case cfg.MaxSessions < 1:
		return fmt.Errorf("--max-sessions %d: use 1 or more", cfg.MaxSessions)
	case *maxPixels < 1:
		return fmt.Errorf("--max-pixels %d: use 1 or more, such as %d", *maxPixels, avdec.DefaultMaxPixels)
	}
	e, err := engine.Open(*settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	s, err := server.New(cfg, server.Engine{
		OpenDecoder: func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, *maxPixels) },
		NewAnalyzer: e.NewAnalyzer,
		Turns:       e.Turns,
		Model:       e.Analysis.Model,
	})
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}
