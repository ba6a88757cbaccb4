package session

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

const (
	maxBuffered  = 64 << 10 // bytes that wait in a data channel; more means that the publisher's line is full
	requestBurst = 20
	requestRate  = 10  // a second
	refusalBurst = 100 // the session ends after this many refusals …
	refusalRate  = 10  // … when they come faster than this, a second

	// ByePatience is how long a bye may take to get through.
	ByePatience = time.Second
)

// answer serves a request, or refuses it. If bad is set, it is the refusal. The session of a publisher that is refused
// more often than refusalRate ends.
func (s *Session) answer(r request, bad *reply) {
	now := time.Now()
	if !s.requests.AllowN(now, 1) {
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
	if !s.refusals.AllowN(now, 1) {
		s.End(EndAbuse)
	}
}

func (s *Session) pause() {
	if s.paused.Swap(true) {
		return
	}
	s.pausedAt = time.Now()
	s.idle.Reset(s.timing.PausedMax)
}

func (s *Session) resume() {
	if !s.paused.Swap(false) {
		return
	}
	// A resume restarts the silence timeout. It does so only once until media arrives again: otherwise a publisher
	// could keep its place for ever by pausing and resuming.
	now := time.Now().UnixNano()
	if heard := s.heard.Load(); heard != s.forgiven && s.heard.CompareAndSwap(heard, now) {
		s.forgiven = now
	}
	s.checkIdle()
	if s.receiver != nil {
		s.receiver.RequestKeyframe()
	}
}

// setOptions serves a request of the type options. If one part is refused, nothing changes.
func (s *Session) setOptions(r request) (*modelInfo, *reply) {
	next := *s.choice.Load()
	if name := r.changes.model; name != nil {
		var err error
		if next.analysis, err = s.cfg.Engine.Analysis(*name); err != nil {
			return nil, refusal(r.ID, "unknown-model", err.Error())
		}
	}
	if on := r.changes.attention; on != nil {
		next.attention = *on
	}
	s.choice.Store(&next)
	return s.model(), nil
}

// model returns the model in use.
func (s *Session) model() *modelInfo {
	info := infoOf(s.choice.Load().analysis.Model)
	return &info
}

// say sends on the control channel. It ends the session of a publisher that sends requests but does not read the
// answers, so that answers do not pile up.
func (s *Session) say(r reply) {
	if s.control == nil {
		return
	}
	if s.control.BufferedAmount() > maxBuffered {
		s.End(EndAbuse)
		return
	}
	text, err := r.encode()
	if err != nil {
		s.failed("control", "encode control message", err)
		return
	}
	if err := s.control.SendText(string(text)); err != nil {
		s.log.Debug("send control message", "type", r.Type, "err", err)
	}
}

func (s *Session) hello() reply {
	models := make([]modelInfo, len(s.cfg.Engine.Analyses))
	for i, a := range s.cfg.Engine.Analyses {
		models[i] = infoOf(a.Model)
	}
	return reply{Type: "hello", Session: s.id, Model: s.model(), Models: models}
}

// Hello returns the message that the control channel begins with, for readers without one.
func (s *Session) Hello() ([]byte, error) { return s.hello().encode() }

// Bye returns the message of an end, for readers without a control channel.
func Bye(why Reason) ([]byte, error) { return bye(why).encode() }

// sayHint tells the publisher the largest frames and the highest rate that the session can use.
func (s *Session) sayHint() {
	if s.cfg.MaxSide == 0 && s.frameRate.rate == 0 {
		return
	}
	s.say(reply{Type: "hint", MaxSide: s.cfg.MaxSide, MaxFramerate: float64(s.frameRate.rate)})
}

// sayDraining asks the publisher to go elsewhere. A publisher that stays is served until the grace period ends.
func (s *Session) sayDraining() { s.say(bye(EndDraining)) }

// sayBye tells the publisher why the session ends, and waits a moment until the message is sent.
func (s *Session) sayBye() {
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
	s.say(bye(s.Reason()))
	if s.control.BufferedAmount() == 0 {
		return
	}
	patience := time.NewTimer(ByePatience)
	defer patience.Stop()
	select {
	case <-sent:
	case <-patience.C:
	}
}

// reply is a message of the server's on the control channel.
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

func bye(why Reason) reply { return reply{Type: "bye", Reason: string(why)} }

// encode returns the message as it is sent.
func (r reply) encode() ([]byte, error) {
	r.V = pipeline.Version
	return json.Marshal(r)
}
