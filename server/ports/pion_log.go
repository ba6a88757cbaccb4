package ports

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// PionLogs are Pion's logs, at the level of debugging: what Pion calls an error is mostly a publisher that went away,
// and its lines name addresses.
type PionLogs struct{ Log *slog.Logger }

// NewLogger is for Pion.
func (p PionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{p.Log.With("pion", scope)}
}

type pionLog struct{ log *slog.Logger }

func (p pionLog) Trace(string)          {}
func (p pionLog) Tracef(string, ...any) {}
func (p pionLog) Debug(string)          {}
func (p pionLog) Debugf(string, ...any) {}
func (p pionLog) Info(string)           {}
func (p pionLog) Infof(string, ...any)  {}

func (p pionLog) Warn(msg string)                { p.log.Debug(msg) }
func (p pionLog) Warnf(format string, a ...any)  { p.log.Debug(fmt.Sprintf(format, a...)) }
func (p pionLog) Error(msg string)               { p.log.Debug(msg) }
func (p pionLog) Errorf(format string, a ...any) { p.log.Debug(fmt.Sprintf(format, a...)) }
