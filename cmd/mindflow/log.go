package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// logFlags say how the server's log looks.
type logFlags struct{ format, level string }

func (l *logFlags) declare(fs *flag.FlagSet) {
	fs.StringVar(&l.format, "log-format", "text", "`form` of the log on standard error: text or json, a line each")
	fs.StringVar(&l.level, "log-level", "info", "least `level` that is logged: debug, info, warn or error; debug names addresses")
}

var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

func (l *logFlags) check() error {
	if l.format != "text" && l.format != "json" {
		return fmt.Errorf("--log-format %s: use text or json", l.format)
	}
	if _, ok := logLevels[strings.ToLower(l.level)]; !ok {
		return fmt.Errorf("--log-level %s: use debug, info, warn or error", l.level)
	}
	return nil
}

// open is the log, after check.
func (l *logFlags) open(to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: logLevels[strings.ToLower(l.level)]}
	if l.format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}
