package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"

	"mindflow/server/offer"
	"mindflow/server/sdpfrag"
)

// restartBurst and restartRate (a second) limit how often ICE may be restarted: each restart gathers candidates.
const (
	restartBurst = 10
	restartRate  = 1
)

// Errors of Patch that are the publisher's. Its other errors, and those of Accept, are *offer.Refusal or the server's.
var (
	ErrEnded    = errors.New("the session has ended")
	ErrOutdated = errors.New("the ICE session has been restarted; use the newest ETag")
	ErrETag     = errors.New("If-Match is not an ETag of this session; send the one of its answer, quotes included")
	ErrTooOften = errors.New("ICE was restarted too often; wait a second")
)

// Answer is what a publisher is answered.
type Answer struct {
	SDP  string // whole, or a fragment (RFC 8840) after a restart of ICE; empty when candidates were added
	ETag string // of the ICE session
}

// Accept answers the offer, with all candidates. Call it once, before Run. Pion reads here what the publisher wrote, so
// a panic in it is the offer's fault.
func (s *Session) Accept(ctx context.Context, o *sdp.SessionDescription) (a Answer, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.meters.Panics.Add(1)
			s.log.Error("panic", "in", "negotiation", "panic", fault, "stack", string(debug.Stack()))
			err = offer.Refuse(offer.Malformed, "the body is no WebRTC offer")
		}
	}()
	text, err := s.negotiate(ctx, o)
	if err != nil {
		return Answer{}, err
	}
	s.newGeneration(o)
	return Answer{text, s.etag}, nil
}

// negotiate applies an offer, the first or one that restarts ICE, and returns the answer.
func (s *Session) negotiate(ctx context.Context, o *sdp.SessionDescription) (string, error) {
	text, err := o.Marshal()
	if err != nil {
		return "", fmt.Errorf("encode offer: %w", err)
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(text)}
	if err := s.pc.SetRemoteDescription(remote); err != nil {
		return "", offer.Refuse(offer.Malformed, "the body is no WebRTC offer: %v", err)
	}
	for _, t := range s.pc.GetTransceivers() {
		if t.Kind() == webrtc.RTPCodecTypeAudio { // answered "inactive"
			if err := t.Stop(); err != nil {
				return "", fmt.Errorf("decline audio: %w", err)
			}
		}
	}
	local, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", offer.Refuse(offer.Unservable, "no answer can be made to the offer: %v", err)
	}
	gathered := webrtc.GatheringCompletePromise(s.pc)
	if err := s.pc.SetLocalDescription(local); err != nil {
		return "", fmt.Errorf("apply answer: %w", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", fmt.Errorf("gather candidates: %w", ctx.Err())
	}
	answer := &sdp.SessionDescription{}
	if err := answer.UnmarshalString(s.pc.LocalDescription().SDP); err != nil {
		return "", fmt.Errorf("parse own answer: %w", err)
	}
	s.peer.SetUfrag(sdpfrag.Attribute(answer, "ice-ufrag"))
	return s.cfg.Codecs.Complete(o, answer, maxRequest, s.cfg.Ports.PublicCandidates())
}

// newGeneration begins an ICE session. Its entity tag has late candidates of the previous one refused (RFC 9725,
// section 4.3.1).
func (s *Session) newGeneration(o *sdp.SessionDescription) {
	s.offer = o
	s.generation++
	s.candidates = 0
	s.etag = strconv.Quote(s.id[:8] + "-" + strconv.Itoa(s.generation))
}

// Patch adds the publisher's candidates, or restarts ICE: RFC 9725, section 4.3. ifMatch is the entity tag of the ICE
// session that the fragment is for, or a star. It may be called while Run runs.
func (s *Session) Patch(ctx context.Context, ifMatch string, f sdpfrag.Fragment) (a Answer, err error) {
	if !s.do(func() { a, err = s.patch(ctx, ifMatch, f) }) {
		return Answer{}, ErrEnded
	}
	return a, err
}

// patch is Patch on the control loop. The star is quoted in RFC 9725's example of a restart (section 4.3.3).
func (s *Session) patch(ctx context.Context, ifMatch string, f sdpfrag.Fragment) (Answer, error) {
	ufrag := sdpfrag.Attribute(s.offer, "ice-ufrag")
	ifMatch = strings.TrimPrefix(ifMatch, "W/") // a proxy that compresses answers weakens their tags
	switch {
	case ifMatch == "*" || ifMatch == `"*"` || ifMatch == s.etag:
	case !strings.HasPrefix(ifMatch, `"`+s.id[:8]+"-"):
		return Answer{}, ErrETag
	default:
		return Answer{}, ErrOutdated
	}
	if f.Ufrag != ufrag {
		return s.restart(ctx, f)
	}
	s.candidates += len(f.Candidates)
	if s.candidates > sdpfrag.MaxCandidates {
		return Answer{}, offer.Refuse(offer.Unservable, "too many candidates")
	}
	for _, c := range f.Candidates {
		if err := s.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c.Value, SDPMid: &c.Mid}); err != nil {
			return Answer{}, offer.Refuse(offer.Malformed, "candidate %.80q: %v", c.Value, err)
		}
	}
	return Answer{}, nil
}

// restart begins another ICE session on the same connection.
func (s *Session) restart(ctx context.Context, f sdpfrag.Fragment) (Answer, error) {
	if f.Pwd == "" {
		return Answer{}, offer.Refuse(offer.Malformed, "a restart needs a=ice-pwd")
	}
	if !s.restarts.Allow() {
		return Answer{}, ErrTooOften
	}
	o, err := f.Apply(s.offer)
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.negotiate(ctx, o)
	if err != nil {
		return Answer{}, fmt.Errorf("restart ICE: %w", err)
	}
	s.newGeneration(o)
	ours := &sdp.SessionDescription{}
	if err := ours.UnmarshalString(answer); err != nil {
		return Answer{}, fmt.Errorf("parse own answer: %w", err)
	}
	return Answer{sdpfrag.Of(ours).String(), s.etag}, nil
}
