package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/server/admission"
	"mindflow/server/ports"
	"mindflow/server/ports/portfilter"
	"mindflow/server/receive"
)

const (
	inboxSize = 64 // callbacks wait when it is full
	unitQueue = 32 // access units between read and decode: more than come at once after a repair, then read flushes
)

// ended says why a session ended; it is the cause of its context and the reason of its bye.
type ended string

func (e ended) Error() string { return "session ended: " + string(e) }

const (
	endDraining = ended("draining")  // the server is about to stop; a publisher that obeys leaves, others may stay a little while
	endShutdown = ended("shutdown")  // the server stops
	endDeleted  = ended("deleted")   // DELETE by the publisher
	endClosed   = ended("closed")    // the publisher closed the connection
	endFailed   = ended("failed")    // ICE or DTLS gave up
	endNoMedia  = ended("no-media")  // nothing came for Config.NoMedia
	endIdle     = ended("idle")      // paused for longer than Config.PausedMax
	endAbuse    = ended("abuse")     // a publisher that asks for too much
	endTooLarge = ended("too-large") // frames over the decoder's limit
	endWorn     = ended("worn")      // sent as many records as its keys are good for
	endTime     = ended("time")      // it has lasted as long as it may
	endReplaced = ended("replaced")  // its page made a new connection
	endInternal = ended("internal")  // a fault of the server's; its log says which
)

// endReasons are all of them that a session's end can have.
var endReasons = []ended{endShutdown, endDeleted, endClosed, endFailed, endNoMedia, endIdle, endAbuse, endTooLarge, endWorn, endTime, endReplaced, endInternal}

// session is one publisher: a peer connection and the goroutines that serve it.
//
// The control loop is its parent. It starts read, decode, infer and an RTCP drain when the video comes,
// and waits for them when the session ends. Pion's callbacks only post to its inbox.
type session struct {
	// static after construction
	id       string
	owner    string // who may see and control it; "" where that is who knows its id
	slot     *admission.Slot
	engine   *Engine
	terms    terms
	log      *slog.Logger
	meters   *meters // of all sessions
	pc       *webrtc.PeerConnection
	guest    *portfilter.Guest // what the ports let through is its
	ctx      context.Context   // ends with the session; its cause is an ended
	end      func(ended)
	done     chan struct{} // closed when all it held is free, its slot too
	inbox    chan func()   // for the control loop to run
	units    chan pipeline.Unit
	frames   *pipeline.Mailbox
	draining <-chan struct{} // closed when the server drains

	// safe for use by all its goroutines
	dropped  drops
	analysed atomic.Uint64 // frames
	waited   atomic.Uint64 // frames that were there in time and got no turn
	paused   atomic.Bool
	choice   atomic.Pointer[choice]             // replaced by the control loop
	heard    atomic.Int64                       // when the last media packet came, Unix nanoseconds
	labels   atomic.Pointer[webrtc.DataChannel] // nil until the publisher opens it
	events   broadcast

	// owned by the control loop
	offer      *sdp.SessionDescription
	etag       string
	generation int // of ICE
	candidates int // taken in this generation
	channels   int // data channels opened
	control    *webrtc.DataChannel
	requests   bucket
	refusals   bucket // what was refused of them, and what was none
	restarts   bucket // of ICE
	idle       *time.Timer
	pausedAt   time.Time
	forgiven   int64             // what heard was set to by a resume; it is still that when no media came since
	receiver   *receive.Receiver // nil before the video
	pace       pace
	hints      *time.Ticker // when to look at pace
	leaving    bool         // the server drains

	work sync.WaitGroup // the goroutines that the control loop started
}

// terms are what a session is served on: the codecs it may send, where its media is found from outside, the analysis that it begins with, what
// its page is asked to send at most and how often that may change, and the times that end it.
type terms struct {
	codecs             codecs
	analysis           pipeline.Analysis
	owner              string // a grant's subject
	maxSide            int    // pixels; 0 asks for nothing
	maxFramerate       int    // frames a second; 0 asks for nothing
	hintEvery          time.Duration
	noMedia, pausedMax time.Duration
	maxRecords         uint64 // of DTLS, sent
	ports              *ports.Media
	slot               *admission.Slot
	load               *admission.LoadMeter
}

// newSession makes a session that waits for its offer. It lives until end is called or parent ends.
func newSession(parent context.Context, id string, api *webrtc.API, e *Engine, t terms, log *slog.Logger, meters *meters, draining <-chan struct{}) (*session, error) {
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("make peer connection: %w", err)
	}
	ctx, cancel := context.WithCancelCause(parent)
	s := &session{
		id: id, owner: t.owner, slot: t.slot, engine: e, terms: t, log: log.With("session", id[:8]), meters: meters, draining: draining, pc: pc,
		guest: t.ports.Filter.Admit(),
		ctx:   ctx, end: func(why ended) { cancel(why) },
		done:     make(chan struct{}),
		inbox:    make(chan func(), inboxSize),
		units:    make(chan pipeline.Unit, unitQueue),
		frames:   pipeline.NewMailbox(),
		idle:     time.NewTimer(t.noMedia),
		pace:     newPace(t.maxFramerate),
		hints:    time.NewTicker(t.hintEvery),
		requests: newBucket(requestBurst, requestRate, time.Now()),
		refusals: newBucket(refusalBurst, refusalRate, time.Now()),
		restarts: newBucket(restartBurst, restartRate, time.Now()),
	}
	s.choice.Store(&choice{analysis: t.analysis})
	s.heard.Store(time.Now().UnixNano())
	s.listen()
	return s, nil
}

// listen has Pion's callbacks post to the inbox.
func (s *session) listen() {
	s.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateFailed:
			s.end(endFailed)
		case webrtc.PeerConnectionStateClosed:
			s.end(endClosed)
		}
	})
	s.pc.OnICEConnectionStateChange(s.iceChanged)
	s.pc.SCTP().OnClose(func(error) { s.end(endClosed) }) // a publisher's close reaches us this way first
	s.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		s.post(func() { s.startMedia(track, receiver) })
	})
	s.pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		dc.OnOpen(func() { s.post(func() { s.channelOpened(dc) }) })
	})
}

// post leaves f for the control loop. When the inbox is full the caller waits: a publisher that floods
// is slowed down by its own flow control.
func (s *session) post(f func()) {
	select {
	case s.inbox <- f:
	case <-s.ctx.Done():
	}
}

// do runs f on the control loop and waits for it. It reports false when the session ended before.
func (s *session) do(f func()) bool {
	finished := make(chan struct{})
	s.post(func() { f(); close(finished) })
	select {
	case <-finished:
		return true
	case <-s.done:
		return false
	}
}

// run is the control loop. When it returns, the session is over and all it held is free but its place.
func (s *session) run() {
	s.guard("control", s.serve)
	s.end(endInternal) // in case serve broke; otherwise there is a cause already
	s.guard("bye", s.sayBye)
	s.release()
	s.log.Info("session ended", "why", string(s.why()), "dropped", s.dropped.byReason())
}

func (s *session) serve() {
	defer s.idle.Stop()
	defer s.hints.Stop()
	draining := s.draining
	var up <-chan time.Time // when it has lasted as long as it may
	if until := s.slot.Until; !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		up = timer.C
	}
	for {
		select {
		case <-s.ctx.Done():
			return
		case f := <-s.inbox:
			f()
		case <-up:
			s.end(endTime)
		case <-s.idle.C:
			s.checkIdle()
		case <-s.hints.C:
			s.adjust(time.Now())
			s.checkWear()
		case <-draining:
			draining, s.leaving = nil, true
			s.sayDraining()
		}
	}
}

// release frees the peer connection, waits for the session's goroutines and lets go of its pictures.
func (s *session) release() {
	s.guest.Leave()
	if err := s.pc.GracefulClose(); err != nil {
		s.log.Debug("close peer connection", "err", err)
	}
	s.work.Wait()
	// A timer that Pion has stopped holds the session until Go's runtime sweeps it, which on a calm server takes minutes.
	s.frames, s.units = nil, nil
}

// why gives the reason of the end. A parent that ended is a server that stops.
func (s *session) why() ended {
	var e ended
	if errors.As(context.Cause(s.ctx), &e) {
		return e
	}
	return endShutdown
}

// spawn starts a goroutine of the session's.
func (s *session) spawn(name string, f func()) {
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		s.guard(name, f)
	}()
}

// guard runs f. A panic in it ends this session and no other.
func (s *session) guard(name string, f func()) {
	defer func() {
		if fault := recover(); fault != nil {
			s.meters.Panics.Add(1)
			s.log.Error("panic", "in", name, "panic", fault, "stack", string(debug.Stack()))
			s.end(endInternal)
		}
	}()
	f()
}

// checkWear ends a session before its keys are used up. Pion draws the eight bytes of a record's AES-GCM nonce by chance, and two
// that are the same undo the encryption: among 2^20 records they are with a probability of 3e-8 (n²/2^65), which is eight
// hours of labels.
func (s *session) checkWear() {
	if s.guest.Sent() >= s.terms.maxRecords {
		s.end(endWorn)
	}
}

// checkIdle ends a session that sends nothing, and sets the timer for the next look.
func (s *session) checkIdle() {
	since, limit, why := time.Unix(0, s.heard.Load()), s.terms.noMedia, endNoMedia
	if s.paused.Load() {
		since, limit, why = s.pausedAt, s.terms.pausedMax, endIdle
	}
	left := limit - time.Since(since)
	if left <= 0 {
		s.end(why)
		return
	}
	s.idle.Reset(left)
}
