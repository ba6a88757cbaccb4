package session

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pion/webrtc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
	"mindflow/server/offer"
	"mindflow/server/operate"
	"mindflow/server/ports"
)

// Engine decodes and analyses. All sessions share it.
type Engine struct {
	OpenDecoder func(pipeline.Codec) (pipeline.Decoder, error)
	Analyses    []pipeline.Analysis // to choose from by the name of their model; the first is the default
	Scheduler   *schedule.Scheduler
}

// Analysis returns the analysis with the named model; without a name, the default. The error lists the names.
func (e *Engine) Analysis(name string) (pipeline.Analysis, error) {
	if name == "" {
		return e.Analyses[0], nil
	}
	names := make([]string, len(e.Analyses))
	for i, a := range e.Analyses {
		if a.Model.Name == name {
			return a, nil
		}
		names[i] = a.Model.Name
	}
	return pipeline.Analysis{}, fmt.Errorf("no model offered here is called %.60q; choose one of: %s",
		name, strings.Join(names, ", "))
}

// Timing are the times and limits of a session that only tests change. Zero values mean the defaults.
type Timing struct {
	HintEvery  time.Duration // how often the requested frame rate may change; default 2 s
	NoMedia    time.Duration // a session that sends nothing for this time ends; default 15 s
	PausedMax  time.Duration // a session that is paused for this time ends; default 5 min
	MaxRecords uint64        // a session that was sent this many DTLS records ends; default 2^20
}

func (t Timing) withDefaults() Timing {
	set := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&t.HintEvery, 2*time.Second)
	set(&t.NoMedia, 15*time.Second)
	set(&t.PausedMax, 5*time.Minute)
	if t.MaxRecords == 0 {
		t.MaxRecords = 1 << 20
	}
	return t
}

// Config is what the sessions of one server share.
type Config struct {
	Engine       *Engine
	Codecs       offer.Codecs
	Ports        *ports.Media
	MaxSide      int // pixels of a frame's longer side that pages are asked to send at most; zero means not asked
	MaxFramerate int // frames a second that pages are asked to send at most; zero means not asked
	Timing       Timing
	Draining     <-chan struct{}          // closed when publishers are to go elsewhere; optional
	OnLabels     func(took time.Duration) // called for each message with labels, with the time that it took
	Metrics      *operate.Metrics
	Log          *slog.Logger
}

// Factory makes the sessions of one server.
type Factory struct {
	cfg    Config
	api    *webrtc.API
	meters *meters
}

// NewFactory makes a factory.
func NewFactory(cfg Config) (*Factory, error) {
	cfg.Timing = cfg.Timing.withDefaults()
	api, err := newAPI(cfg.Ports, cfg.Codecs, ports.PionLogs{Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	return &Factory{cfg, api, newMeters(cfg.Metrics)}, nil
}

// Options are what one session differs in.
type Options struct {
	ID       string            // eight characters or more, of which the log has the first eight
	Analysis pipeline.Analysis // to begin with
	Until    time.Time         // when the session ends at the latest; zero means no limit
}

// New makes a session that waits for its offer: call Accept, then Run; or Discard. The session ends with parent.
func (f *Factory) New(parent context.Context, o Options) (*Session, error) {
	pc, err := f.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("make peer connection: %w", err)
	}
	ctx, cancel := context.WithCancelCause(parent)
	now, t := time.Now(), f.cfg.Timing
	s := &Session{
		id: o.ID, until: o.Until, cfg: &f.cfg, meters: f.meters, log: f.cfg.Log.With("session", o.ID[:8]),
		pc: pc, peer: f.cfg.Ports.Filter.NewPeer(),
		ctx: ctx, cancel: cancel, done: make(chan struct{}), inbox: make(chan func(), inboxSize),
		units: make(chan pipeline.Unit, unitQueue), frames: pipeline.NewMailbox(),
		timing: t, idle: time.NewTimer(t.NoMedia), hints: time.NewTicker(t.HintEvery),
		frameRate: newFrameRate(f.cfg.MaxFramerate),
		requests:  rate.NewLimiter(requestRate, requestBurst),
		refusals:  rate.NewLimiter(refusalRate, refusalBurst),
		restarts:  rate.NewLimiter(restartRate, restartBurst),
	}
	s.choice.Store(&choice{analysis: o.Analysis})
	s.heard.Store(now.UnixNano())
	s.listen()
	return s, nil
}

// meters are the metrics, with the counters at hand that a frame may need.
type meters struct {
	*operate.Metrics
	dropped [dropReasons]prometheus.Counter
}

// newMeters also creates the series that are known, so that a scrape finds them at zero.
func newMeters(m *operate.Metrics) *meters {
	all := &meters{Metrics: m}
	for r, name := range dropNames {
		all.dropped[r] = m.Dropped.WithLabelValues(name)
	}
	for _, why := range endReasons {
		m.Ended.WithLabelValues(string(why))
	}
	for state := webrtc.ICEConnectionStateNew; state <= webrtc.ICEConnectionStateClosed; state++ {
		m.ICE.WithLabelValues(state.String())
	}
	for _, part := range []string{"decode", "reassembly", "analysis", "labels", "control"} {
		m.Errors.WithLabelValues(part)
	}
	return all
}
