package settings

import (
	"flag"
	"fmt"
	"time"

	"mindflow/server"
	"mindflow/server/ports"
)

// Admission holds the settings of serve for the number of sessions.
type Admission struct {
	cfg     *server.Config // holds all of them but the proxies
	proxies List
}

func (a *Admission) declare(fs *flag.FlagSet, cfg *server.Config) {
	a.cfg = cfg
	fs.IntVar(&cfg.MaxSessions, "max-sessions", 16, "sessions at a time; newcomers beyond wait for their turn")
	fs.IntVar(&cfg.MaxPerAddress, "max-per-address", 8,
		"of those, sessions of one address, or of one /64 of IPv6, and those that wait from there; this machine's own "+
			"are not counted; 0 is no limit")
	fs.IntVar(&cfg.MaxPerKey, "max-per-key", 0, "of those, sessions of one token, or of one sub of signed tokens, "+
		"where max_sessions of theirs says nothing else; 0 is no limit")
	fs.DurationVar(&cfg.SessionTime, "max-session-time", 24*time.Hour, "longest `time` of a session, where "+
		"session_seconds of its token says no less; 0 is no limit")
	fs.IntVar(&cfg.MaxWaiting, "max-waiting", 100, "newcomers that wait for a place; those beyond are told to come "+
		"back later")
	fs.DurationVar(&cfg.MaxWait, "max-wait", 30*time.Minute, "`time` for which one may wait; 0 is no limit")
	fs.Float64Var(&cfg.MinLabels, "min-labels", 5, "newcomers wait while sessions get fewer `labels` a second for "+
		"want of the machine's time, whatever --max-sessions says; 0 does not measure")
	fs.Var(&a.proxies, "trusted-proxy", "`address` or network, such as 127.0.0.1 or 10.0.0.0/8, of a proxy that tells "+
		"visitors' addresses in X-Forwarded-For, and may name the host in X-Forwarded-Host or Forwarded; several: "+
		"repeat or use commas")
}

// check checks the settings and parses the proxies.
func (a *Admission) check() (err error) {
	const mostWaiting = 100_000
	for _, n := range []struct {
		flag         string
		value, least int
	}{
		{"max-sessions", a.cfg.MaxSessions, 1}, {"max-per-address", a.cfg.MaxPerAddress, 0},
		{"max-per-key", a.cfg.MaxPerKey, 0}, {"max-waiting", a.cfg.MaxWaiting, 0},
	} {
		if n.value < n.least {
			return fmt.Errorf("--%s %d: use %d or more", n.flag, n.value, n.least)
		}
	}
	for name, value := range map[string]time.Duration{"max-session-time": a.cfg.SessionTime,
		"max-wait": a.cfg.MaxWait} {
		if value != 0 && value < time.Second {
			return fmt.Errorf("--%s %v: use 1s or more, or 0 for no limit", name, value)
		}
	}
	switch {
	case a.cfg.MaxWaiting > mostWaiting:
		return fmt.Errorf("--max-waiting %d: use %d or fewer", a.cfg.MaxWaiting, mostWaiting)
	case !(a.cfg.MinLabels >= 0 && a.cfg.MinLabels <= 1000): // also what is not a number
		return fmt.Errorf("--min-labels %v: use 0 to 1000 labels a second", a.cfg.MinLabels)
	}
	if a.cfg.Proxies, err = ports.ParseProxies(a.proxies); err != nil {
		return fmt.Errorf("--trusted-proxy: %w", err)
	}
	return nil
}
