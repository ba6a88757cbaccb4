package server

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs hands Pion's logging to ours. What Pion calls an error is mostly a publisher that went away
// in the middle of something, and its lines name addresses: all of it is for debugging.
type pionLogs struct{ log *slog.Logger }

func (p pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{p.log.With("pion", scope)}
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
