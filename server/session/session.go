// Package session serves one publisher: it negotiates a peer connection, receives and decodes the video, has it
// analysed, and sends labels. Loss recovery is in server/receive; what is HTTP is in server.
//
//	offer ─► peer connection ─► receive ─ units ─► decode ─ mailbox ─► analyse ─► data channel, Broadcast
package session

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"

	"mindflow/pipeline"
	"mindflow/server/ports/portfilter"
	"mindflow/server/receive"
)

const (
	inboxSize = 64 // callbacks wait when it is full
	unitQueue = 32 // access units between receive and decode: more than come at once after a repair
)

// Reason is why a session ended: the reason of its bye, and the cause of its context.
type Reason string

func (r Reason) Error() string { return "session ended: " + string(r) }

// Reasons of an end, as the protocol and the metrics name them.
const (
	EndDraining = Reason("draining")  // in a bye only: the server is about to stop
	EndShutdown = Reason("shutdown")  // the server stops
	EndDeleted  = Reason("deleted")   // DELETE by the publisher
	EndClosed   = Reason("closed")    // the publisher closed the connection
	EndFailed   = Reason("failed")    // ICE or DTLS failed
	EndNoMedia  = Reason("no-media")  // nothing came for Timing.NoMedia
	EndIdle     = Reason("idle")      // paused for longer than Timing.PausedMax
	EndAbuse    = Reason("abuse")     // the publisher asked for too much
	EndTooLarge = Reason("too-large") // frames over the decoder's limit
	EndKeyLimit = Reason("worn")      // Timing.MaxRecords were sent
	EndTime     = Reason("time")      // it lasted as long as it may
	EndReplaced = Reason("replaced")  // its page made a new connection
	EndInternal = Reason("internal")  // a fault of the server, which is in the log
)

// endReasons are the reasons that a session can end for.
var endReasons = []Reason{
	EndShutdown, EndDeleted, EndClosed, EndFailed, EndNoMedia, EndIdle, EndAbuse, EndTooLarge, EndKeyLimit, EndTime,
	EndReplaced, EndInternal,
}

// Session is one publisher: a peer connection and the goroutines that serve it.
//
// The control loop (Run) is their parent. When the video arrives it starts four: they read RTCP, receive, decode and
// analyse. It waits for them when the session ends. Pion's callbacks only post to its inbox.
type Session struct {
	// static after construction
	id     string
	cfg    *Config
	meters *meters // of all sessions
	until  time.Time
	log    *slog.Logger
	pc     *webrtc.PeerConnection
	peer   *portfilter.Peer // the packets that the ports let through for this session
	ctx    context.Context  // ends with the session; its cause is a Reason
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when everything it held is free
	inbox  chan func()   // for the control loop to run
	units  chan pipeline.Unit
	frames *pipeline.Mailbox
	events Broadcast

	// safe for use by all its goroutines
	dropped  drops
	analysed atomic.Uint64 // frames
	waited   atomic.Uint64 // frames that were replaced before they got a slot, and did not come in a burst
	paused   atomic.Bool
	choice   atomic.Pointer[choice]             // replaced by the control loop
	heard    atomic.Int64                       // when the last media packet came, Unix nanoseconds
	labels   atomic.Pointer[webrtc.DataChannel] // nil until the publisher opens it

	// owned by the control loop
	timing     Timing
	offer      *sdp.SessionDescription
	etag       string
	generation int // of ICE
	candidates int // of the publisher in this generation
	channels   int // data channels opened
	control    *webrtc.DataChannel
	requests   *rate.Limiter
	refusals   *rate.Limiter // requests that were refused
	restarts   *rate.Limiter // of ICE
	idle       *time.Timer
	pausedAt   time.Time
	forgiven   int64             // what heard was set to by a resume; heard is still that when no media came since
	receiver   *receive.Receiver // nil before the video
	frameRate  frameRate
	hints      *time.Ticker // for frameRate
	draining   bool

	work sync.WaitGroup // the goroutines that the control loop started
}

// ID returns the name of the session. Knowledge of it suffices to control a session without an owner.
func (s *Session) ID() string { return s.id }

// Context ends with the session.
func (s *Session) Context() context.Context { return s.ctx }

// End ends the session. Only the first reason counts.
func (s *Session) End(why Reason) { s.cancel(why) }

// Done is closed when the session has ended and everything it held is free.
func (s *Session) Done() <-chan struct{} { return s.done }

// Reason returns why the session ended. A parent that ended is a server that stops.
func (s *Session) Reason() Reason {
	var r Reason
	if errors.As(context.Cause(s.ctx), &r) {
		return r
	}
	return EndShutdown
}

// Events returns the messages with labels, for readers other than the data channel.
func (s *Session) Events() *Broadcast { return &s.events }

// listen has Pion's callbacks post to the inbox.
func (s *Session) listen() {
	s.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateFailed:
			s.End(EndFailed)
		case webrtc.PeerConnectionStateClosed:
			s.End(EndClosed)
		}
	})
	s.pc.OnICEConnectionStateChange(s.iceChanged)
	s.pc.SCTP().OnClose(func(error) { s.End(EndClosed) }) // the first sign that a publisher closed the connection
	s.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		s.post(func() { s.startMedia(track, receiver) })
	})
	s.pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		dc.OnOpen(func() { s.post(func() { s.channelOpened(dc) }) })
	})
}

// iceChanged counts the states of ICE. Pion waits for this callback when it closes the connection, with locks held that
// most of its methods take: so it calls none of them.
func (s *Session) iceChanged(state webrtc.ICEConnectionState) {
	s.meters.ICE.WithLabelValues(state.String()).Inc()
	if state == webrtc.ICEConnectionStateConnected {
		s.post(s.pathFound)
	}
}

// pathFound counts and logs the path that ICE selected, and requests a key frame: earlier video is lost.
func (s *Session) pathFound() {
	if s.receiver != nil {
		s.receiver.PathChanged()
	}
	pair, err := s.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil { // disconnected again meanwhile
		return
	}
	s.meters.Paths.WithLabelValues(pair.Local.Protocol.String(), pair.Remote.Typ.String()).Inc()
	s.log.Info("connected", "protocol", pair.Local.Protocol.String(), "remote", pair.Remote.Typ.String())
}

// post leaves f for the control loop. The caller waits while the inbox is full: a publisher that floods it is slowed
// down by its own flow control.
func (s *Session) post(f func()) {
	select {
	case s.inbox <- f:
	case <-s.ctx.Done():
	}
}

// do runs f on the control loop and waits for it. It reports false when the session ended before.
func (s *Session) do(f func()) bool {
	finished := make(chan struct{})
	s.post(func() { f(); close(finished) })
	select {
	case <-finished:
		return true
	case <-s.done:
		return false
	}
}

// Run is the control loop. It returns when the session has ended and everything it held is free. Call it once, after
// Accept.
func (s *Session) Run() {
	s.guard("control", s.serve)
	s.End(EndInternal) // without effect unless serve panicked: otherwise there is a reason already
	s.guard("bye", s.sayBye)
	s.release()
	s.log.Info("session ended", "why", string(s.Reason()), "dropped", s.dropped.byReason())
}

// Discard ends a session whose Run is not to be called.
func (s *Session) Discard() {
	s.End(EndFailed)
	s.release()
}

func (s *Session) serve() {
	draining := s.cfg.Draining
	var timeUp <-chan time.Time
	if !s.until.IsZero() {
		timer := time.NewTimer(time.Until(s.until))
		defer timer.Stop()
		timeUp = timer.C
	}
	for {
		select {
		case <-s.ctx.Done():
			return
		case f := <-s.inbox:
			f()
		case <-timeUp:
			s.End(EndTime)
		case <-s.idle.C:
			s.checkIdle()
		case <-s.hints.C:
			s.adjustFrameRate(time.Now())
			s.checkKeyLimit()
		case <-draining:
			draining, s.draining = nil, true
			s.sayDraining()
		}
	}
}

// release closes the peer connection, waits for the session's goroutines and drops its frames.
func (s *Session) release() {
	s.idle.Stop()
	s.hints.Stop()
	s.peer.Close()
	if err := s.pc.GracefulClose(); err != nil {
		s.log.Debug("close peer connection", "err", err)
	}
	s.work.Wait()
	// A timer that Pion has stopped holds the session until Go's runtime sweeps it, which on a calm server takes
	// minutes.
	s.frames, s.units = nil, nil
	close(s.done)
}

// spawn starts a goroutine of the session.
func (s *Session) spawn(name string, f func()) {
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		s.guard(name, f)
	}()
}

// guard runs f. A panic in it ends this session and no other.
func (s *Session) guard(name string, f func()) {
	defer func() {
		if fault := recover(); fault != nil {
			s.meters.Panics.Add(1)
			s.log.Error("panic", "in", name, "panic", fault, "stack", string(debug.Stack()))
			s.End(EndInternal)
		}
	}()
	f()
}

// failed logs and counts an error that should not happen, in a part of the session.
func (s *Session) failed(part, what string, err error) {
	s.meters.Errors.WithLabelValues(part).Inc()
	s.log.Error(what, "err", err)
}

// checkKeyLimit ends a session before its keys are used up. Pion draws the eight bytes of a record's AES-GCM nonce at
// random, and two equal nonces break the encryption: among 2^20 records two are equal with a probability of 3e-8
// (n²/2^65). That many records are eight hours of labels.
func (s *Session) checkKeyLimit() {
	if s.peer.RecordsSent() >= s.timing.MaxRecords {
		s.End(EndKeyLimit)
	}
}

// checkIdle ends a session that sends nothing, and sets the timer for the next check.
func (s *Session) checkIdle() {
	since, limit, why := time.Unix(0, s.heard.Load()), s.timing.NoMedia, EndNoMedia
	if s.paused.Load() {
		since, limit, why = s.pausedAt, s.timing.PausedMax, EndIdle
	}
	left := limit - time.Since(since)
	if left <= 0 {
		s.End(why)
		return
	}
	s.idle.Reset(left)
}
