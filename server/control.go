package server

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

// Labels of the data channels that a publisher opens: web/PROTOCOL.md.
const (
	controlLabel = "control"
	labelsLabel  = "labels"
)

const (
	maxRequest   = 16 << 10 // bytes of one request
	maxChannels  = 8        // data channels of one session
	maxBuffered  = 64 << 10 // bytes waiting in a data channel; above it the publisher's line is full
	byePatience  = time.Second
	requestBurst = 20
	requestRate  = 10  // a second
	refusalBurst = 100 // after so many refusals the session ends …
	refusalRate  = 10  // … when they come faster than so many a second
)

// request is what a publisher asks on the control channel.
type request struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	ID   *int64 `json:"id"` // of the publisher's choice, given back

	changes changes // of the type options
}

// reply is what the server says on the control channel.
type reply struct {
	V       int         `json:"v"`
	Type    string      `json:"type"`
	ID      *int64      `json:"id,omitempty"`
	Code    string      `json:"code,omitempty"`
	Message string      `json:"message,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Session string      `json:"session,omitempty"`
	Model   *modelInfo  `json:"model,omitempty"`
	Models  []modelInfo `json:"models,omitempty"`

	MaxSide      int     `json:"max_side,omitempty"`
	MaxFramerate float64 `json:"max_framerate,omitempty"`
}

func refusal(id *int64, code, message string) *reply {
	return &reply{Type: "error", ID: id, Code: code, Message: message}
}

// parseRequest reads a request, or says in a reply what is wrong with it.
func parseRequest(data []byte) (request, *reply) {
	var r request
	if err := json.Unmarshal(data, &r); err != nil { // an id may have been read before the fault
		return request{}, refusal(nil, "bad-message", "a request is an object such as {\"v\":1,\"type\":\"pause\",\"id\":1}")
	}
	if r.V != pipeline.Version {
		return request{}, refusal(r.ID, "bad-version", "this server speaks version 1")
	}
	if r.ID == nil {
		return request{}, refusal(nil, "bad-message", "a request has an id, an integer")
	}
	if r.Type == "options" {
		if fault := r.changes.parse(data); fault != "" {
			return request{}, refusal(r.ID, "bad-message", fault)
		}
	}
	return r, nil
}

// answer serves a request, or says what is bad about it. A publisher that is refused again and again
// at a speed that no page has ends its session.
func (s *session) answer(r request, bad *reply) {
	now := time.Now()
	if !s.requests.take(now) {
		bad = refusal(r.ID, "too-many", "ask at most ten times a second")
	}
	answer := reply{Type: "ok", ID: r.ID}
	switch {
	case bad != nil:
	case r.Type == "pause":
		s.pause()
	case r.Type == "resume":
		s.resume()
	case r.Type == "options":
		answer.Model, bad = s.setOptions(r)
	default:
		bad = refusal(r.ID, "unknown-type", "known types are pause, resume and options")
	}
	if bad == nil {
		s.say(answer)
		return
	}
	s.say(*bad)
	if !s.refusals.take(now) {
		s.end(endAbuse)
	}
}

func (s *session) pause() {
	if s.paused.Swap(true) {
		return
	}
	s.pausedAt = time.Now()
	s.idle.Reset(s.terms.pausedMax)
}

func (s *session) resume() {
	if !s.paused.Swap(false) {
		return
	}
	// The silence of a pause is forgiven, but not twice without media in between: pause and resume in
	// turn would hold the place for ever.
	now := time.Now().UnixNano()
	if heard := s.heard.Load(); heard != s.forgiven && s.heard.CompareAndSwap(heard, now) {
		s.forgiven = now
	}
	s.checkIdle()
	if s.receiver != nil {
		s.receiver.RequestKeyframe()
	}
}

// say sends on the control channel. A publisher that asks and does not read ends its session: its
// answers must not pile up.
func (s *session) say(r reply) {
	if s.control == nil {
		return
	}
	if s.control.BufferedAmount() > maxBuffered {
		s.end(endAbuse)
		return
	}
	r.V = pipeline.Version
	text, err := json.Marshal(r)
	if err != nil {
		s.failed("control", "encode control message", err)
		return
	}
	if err := s.control.SendText(string(text)); err != nil {
		s.log.Debug("send control message", "type", r.Type, "err", err)
	}
}

// sayDraining asks the publisher to go on elsewhere, or here a little later. One that does not is served for as long as the
// server waits.
func (s *session) sayDraining() { s.say(reply{Type: "bye", Reason: string(endDraining)}) }

// sayBye tells the publisher why the session ends and gives the message a moment to get through.
func (s *session) sayBye() {
	if s.control == nil || s.control.ReadyState() != webrtc.DataChannelStateOpen {
		return
	}
	sent := make(chan struct{}, 1)
	s.control.SetBufferedAmountLowThreshold(0)
	s.control.OnBufferedAmountLow(func() {
		select {
		case sent <- struct{}{}:
		default:
		}
	})
	s.say(reply{Type: "bye", Reason: string(s.why())})
	if s.control.BufferedAmount() == 0 {
		return
	}
	patience := time.NewTimer(byePatience)
	defer patience.Stop()
	select {
	case <-sent:
	case <-patience.C:
	}
}

// bucket limits how often something happens: a token each, rate new ones a second, burst at most.
type bucket struct {
	burst, rate float64
	tokens      float64
	at          time.Time
}

func newBucket(burst, rate float64, now time.Time) bucket { return bucket{burst, rate, burst, now} }

func (b *bucket) take(now time.Time) bool {
	b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
