package settings

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Log holds the settings of the server's log.
type Log struct{ format, level string }

func (l *Log) declare(fs *flag.FlagSet) {
	fs.StringVar(&l.format, "log-format", "text", "`form` of the log on standard error: text or json, a line each")
	fs.StringVar(&l.level, "log-level", "info", "least `level` that is logged: debug, info, warn or error; debug "+
		"names addresses")
}

var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func (l *Log) check() error {
	if l.format != "text" && l.format != "json" {
		return fmt.Errorf("--log-format %s: use text or json", l.format)
	}
	if _, ok := logLevels[strings.ToLower(l.level)]; !ok {
		return fmt.Errorf("--log-level %s: use debug, info, warn or error", l.level)
	}
	return nil
}

// Open returns the log that writes to out. The settings were checked.
func (l *Log) Open(out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: logLevels[strings.ToLower(l.level)]}
	if l.format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
