package server

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"mindflow/pipeline"
	"mindflow/server/access"
	"mindflow/server/admission"
	"mindflow/server/operate"
	"mindflow/server/ports"
	"mindflow/server/session"
)

// Config configures a server. Zero values mean the defaults.
type Config struct {
	Listen  string        // HTTP address; default 127.0.0.1:8080
	TLS     *tls.Config   // optional: HTTPS is served instead of HTTP
	Proxies ports.Proxies // proxies whose X-Forwarded-For, -Host, -Proto and Forwarded are trusted; optional

	Access *access.Authenticator // checks tokens; default: everybody may use the server
	// AllowOrigins are the origins of pages besides the server's own, such as https://example.org, or "*"; optional.
	AllowOrigins []string
	// FrameAncestors are the origins of pages that may show the page in a frame, or "self", "none" or "*". Default: the
	// server's own and AllowOrigins, without *.
	FrameAncestors []string
	Site           map[string][]byte // files of the page by their path; optional
	Version        string            // for the Server header; optional

	MediaPorts
	Limits

	Codecs []pipeline.Codec // in order of preference; default: offer.AllCodecs, in the publisher's order
	// MaxSide and MaxFramerate are what pages are asked to send at most: pixels of a frame's longer side, and frames a
	// second. Zero means that they are not asked.
	MaxSide      int
	MaxFramerate int

	Grace   time.Duration // for sessions to go elsewhere when the server is to stop; zero means none
	EndTime time.Duration // for an orderly end, after Grace; default 5 s

	Log       *slog.Logger       // optional
	Metrics   *operate.Metrics   // for this server alone; optional
	Readiness *operate.Readiness // for this server alone; optional
	// Degraded returns the parts that work on less than they were configured for, and why. Their names are few and stay
	// the same. Optional.
	Degraded func() map[string]string

	timing timing
}

// MediaPorts are the ports of media. Addresses are host:port.
type MediaPorts struct {
	Media    string // UDP address of all sessions; default :8189
	MediaTCP string // TCP address of all sessions, for publishers that UDP does not reach; optional
	// PublicIPs returns addresses that the ports have from outside, besides the host's own. It is called for each
	// session. Optional.
	PublicIPs func() []netip.Addr
	Turn      string // address for TURN over UDP and TCP, for publishers that nothing else reaches; optional
	TurnTLS   string // TCP address for TURN over TLS, with the certificate of Config.TLS; optional
	TurnHost  string // name of the host in TURN's addresses; default: the host of the request
}

// Limits bound the sessions.
type Limits struct {
	MaxSessions   int           // default 16
	MaxPerAddress int           // sessions and queued clients of one address; zero means unlimited
	MaxPerKey     int           // likewise of one key, unless its token has a limit; zero means unlimited
	MaxWaiting    int           // clients in the queue; zero means that there is no queue
	MaxWait       time.Duration // in the queue; zero means unlimited
	SessionTime   time.Duration // of a session, unless its token has a limit; zero means unlimited
	MinLabels     float64       // labels a second and session, below which none is admitted; zero means not measured
}

// admission returns the limits as admission has them.
func (l Limits) admission() admission.Limits {
	return admission.Limits{
		Sessions: l.MaxSessions, PerAddress: l.MaxPerAddress, PerKey: l.MaxPerKey,
		Waiting: l.MaxWaiting, WaitTime: l.MaxWait, SessionTime: l.SessionTime,
	}
}

// timing are the times that only tests change. Zero values mean the defaults.
type timing struct {
	session.Timing
	HeaderTime  time.Duration // a request's header arrives within it; default 10 s
	RequestTime time.Duration // a request arrives within it, and its answer is sent within twice that; default 20 s
	IdleTime    time.Duration // an HTTP connection may wait this long for its next request; default 2 min
	Heartbeat   time.Duration // between two signs of life to a reader of events; default 15 s
}

func (t timing) withDefaults() timing {
	set(&t.HeaderTime, 10*time.Second)
	set(&t.RequestTime, 20*time.Second)
	set(&t.IdleTime, 2*time.Minute)
	set(&t.Heartbeat, 15*time.Second)
	return t
}

func (c Config) withDefaults() Config {
	set(&c.Listen, "127.0.0.1:8080")
	set(&c.Media, ":8189")
	set(&c.MaxSessions, 16)
	set(&c.EndTime, 5*time.Second)
	c.timing = c.timing.withDefaults()
	if c.Access == nil {
		c.Access = access.Open()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = operate.NewMetrics(c.Version)
	}
	if c.Readiness == nil {
		c.Readiness = &operate.Readiness{}
	}
	return c
}

// set sets a field without a value to its default.
func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
