package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

// Engine is what sessions work with. They share it.
type Engine struct {
	OpenDecoder func(pipeline.Codec) (pipeline.Decoder, error)
	Analyses    []pipeline.Analysis // to choose from by the name of their model; the first is the default
	Scheduler   *pipeline.Scheduler
}

// Config is how a server runs. Zero values mean the defaults that the comments give.
type Config struct {
	Listen       string           // HTTP address, 127.0.0.1:8080
	Media        string           // the UDP port of all sessions, :8189
	MaxSessions  int              // 16
	Codecs       []pipeline.Codec // in order of preference; all of Codecs(), in the publisher's order
	AllowOrigins []string         // origins of pages besides the server's own, such as https://example.org, or *
	MaxSide      int              // pixels of a frame's longer side that pages are asked to send at most; not asked for
	MaxFramerate int              // frames a second that pages are asked to send at most; not asked for
	HintEvery    time.Duration    // what pages are asked to send may change so often; 2 s
	Site         fs.FS            // files of the page; none
	NoMedia      time.Duration    // a session that sends nothing for so long ends; 15 s
	PausedMax    time.Duration    // a session that is paused for so long ends; 5 min
	Grace        time.Duration    // time to end in an orderly way; 5 s
	Heartbeat    time.Duration    // a reader of events hears something so often; 15 s
	Version      string           // told in the Server header; none
	Log          *slog.Logger     // none
}

func (c Config) withDefaults() Config {
	set := func(v *string, to string) {
		if *v == "" {
			*v = to
		}
	}
	setTime := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&c.Listen, "127.0.0.1:8080")
	set(&c.Media, ":8189")
	setTime(&c.HintEvery, 2*time.Second)
	setTime(&c.NoMedia, 15*time.Second)
	setTime(&c.PausedMax, 5*time.Minute)
	setTime(&c.Grace, 5*time.Second)
	setTime(&c.Heartbeat, 15*time.Second)
	if c.MaxSessions == 0 {
		c.MaxSessions = 16
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Server serves publishers until its context ends.
type Server struct {
	// static after construction
	cfg    Config
	engine Engine
	log    *slog.Logger
	codecs codecs
	web    net.Listener
	mux    *ice.MultiUDPMuxDefault
	api    *webrtc.API
	parent context.Context // of all sessions
	stop   context.CancelFunc

	faults atomic.Uint64
	work   sync.WaitGroup // sessions

	mu       sync.Mutex
	sessions map[string]*session // guarded by mu
	closing  bool                // guarded by mu
}

// New binds both ports. An error names the one it could not have and what to do about it.
func New(cfg Config, e Engine) (*Server, error) {
	if len(e.Analyses) == 0 {
		return nil, errors.New("the engine offers no analysis; give it one")
	}
	cfg = cfg.withDefaults()
	codecs, err := newCodecs(cfg.Codecs)
	if err != nil {
		return nil, err
	}
	web, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		_, port, splitErr := net.SplitHostPort(cfg.Listen)
		if splitErr != nil {
			return nil, fmt.Errorf("HTTP address %q: %w: pass --listen as host:port", cfg.Listen, splitErr)
		}
		return nil, portError("port", port, "--listen", err)
	}
	logs := pionLogs{cfg.Log}
	mux, err := listenMedia(cfg.Media, logs)
	if err != nil {
		return nil, errors.Join(err, web.Close())
	}
	api, err := newAPI(mux, codecs, logs)
	if err != nil {
		return nil, errors.Join(err, mux.Close(), web.Close())
	}
	parent, stop := context.WithCancel(context.Background())
	return &Server{
		cfg: cfg, engine: e, log: cfg.Log, codecs: codecs, web: web, mux: mux, api: api, parent: parent, stop: stop,
		sessions: map[string]*session{},
	}, nil
}

// Addr is the address that HTTP is served on.
func (s *Server) Addr() net.Addr { return s.web.Addr() }

// MediaAddr is an address of the UDP port; with several interfaces there are more, on the same port.
func (s *Server) MediaAddr() net.Addr { return s.mux.GetListenAddresses()[0] }

// Stats says how the server is doing.
type Stats struct {
	Sessions int    // open now
	Panics   uint64 // caught so far; each ended one session
}

// Stats counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Sessions: len(s.sessions), Panics: s.faults.Load()}
}

// Serve serves until ctx ends, then ends the sessions, answers what was asked, and frees both ports.
// Call it once. The error says what went wrong; ctx's end is none.
func (s *Server) Serve(ctx context.Context) error {
	web := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		WriteTimeout:      20 * time.Second, // events move it on
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ConnContext:       keepLittle,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(s.web) }()
	s.log.Info("serving", "http", s.Addr().String(), "media", s.MediaAddr().String())

	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
		err = fmt.Errorf("serve HTTP: %w", err)
	}
	return errors.Join(err, s.shutdown(web))
}

// shutdown ends what Serve and New began, last first: sessions, HTTP, the UDP port. Sessions and HTTP
// end side by side, since readers of events wait for sessions.
func (s *Server) shutdown(web *http.Server) error {
	grace, cancel := context.WithTimeout(context.Background(), s.cfg.Grace)
	defer cancel()
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.stop()

	ended := make(chan struct{})
	go func() { s.work.Wait(); close(ended) }()
	var errs []error
	select {
	case <-ended:
	case <-grace.Done():
		errs = append(errs, fmt.Errorf("%d sessions did not end within %s", s.Stats().Sessions, s.cfg.Grace))
	}
	if err := web.Shutdown(grace); err != nil {
		errs = append(errs, fmt.Errorf("end HTTP: %w", err), web.Close())
	}
	return errors.Join(append(errs, s.mux.Close())...)
}

// open makes a session that begins with the given analysis and gives it a place, if there is one.
func (s *Server) open(with pipeline.Analysis) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, newProblem(http.StatusServiceUnavailable, "the server is stopping")
	}
	if len(s.sessions) >= s.cfg.MaxSessions {
		return nil, newProblem(http.StatusServiceUnavailable, "the server is full; try again later").with("Retry-After", "10")
	}
	t := terms{
		codecs: s.codecs, analysis: with,
		maxSide: s.cfg.MaxSide, maxFramerate: s.cfg.MaxFramerate, hintEvery: s.cfg.HintEvery,
		noMedia: s.cfg.NoMedia, pausedMax: s.cfg.PausedMax,
	}
	sess, err := newSession(s.parent, newID(), s.api, &s.engine, t, s.log, &s.faults)
	if err != nil {
		return nil, err
	}
	s.sessions[sess.id] = sess
	s.work.Add(1) // under mu and before closing: shutdown waits for it
	return sess, nil
}

// start serves an opened session until it ends.
func (s *Server) start(sess *session) {
	go func() {
		sess.run()
		s.forget(sess)
		close(sess.done)
	}()
}

// discard ends an opened session that was not started.
func (s *Server) discard(sess *session) {
	sess.end(endFailed)
	sess.release()
	s.forget(sess)
	close(sess.done)
}

func (s *Server) forget(sess *session) {
	s.mu.Lock()
	delete(s.sessions, sess.id)
	s.mu.Unlock()
	s.work.Done()
}
