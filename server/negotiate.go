package server

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"

	"mindflow/server/sdpfrag"
)

// Restarts of ICE that a session may have at once, and a second: each gathers addresses anew.
const (
	restartBurst = 10
	restartRate  = 1
)

// accept answers the offer, with all candidates. It is called once, before run. Pion reads what a
// stranger wrote here, so a panic in it is the offer's fault: an error.
func (s *session) accept(ctx context.Context, offer *sdp.SessionDescription) (answer string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.meters.Panics.Add(1)
			s.log.Error("panic", "in", "negotiation", "panic", fault, "stack", string(debug.Stack()))
			err = newProblem(http.StatusBadRequest, "the body is no WebRTC offer")
		}
	}()
	answer, err = s.negotiate(ctx, offer)
	if err != nil {
		return "", err
	}
	s.offer = offer
	s.newGeneration()
	return answer, nil
}

// negotiate applies an offer, the first or one that restarts ICE.
func (s *session) negotiate(ctx context.Context, offer *sdp.SessionDescription) (string, error) {
	text, err := offer.Marshal()
	if err != nil {
		return "", fmt.Errorf("encode offer: %w", err)
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(text)}
	if err := s.pc.SetRemoteDescription(remote); err != nil {
		return "", newProblem(http.StatusBadRequest, "the body is no WebRTC offer: "+err.Error())
	}
	for _, t := range s.pc.GetTransceivers() {
		if t.Kind() == webrtc.RTPCodecTypeAudio { // nobody listens: answered "inactive"
			if err := t.Stop(); err != nil {
				return "", fmt.Errorf("decline audio: %w", err)
			}
		}
	}
	local, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", newProblem(http.StatusUnprocessableEntity, "no answer can be made to the offer: "+err.Error())
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
	s.guest.Answer(sdpfrag.Attribute(answer, "ice-ufrag"))
	return completeAnswer(offer, answer, s.terms.codecs, s.terms.ports.PublicCandidates())
}

// newGeneration begins an ICE session: its entity tag makes late candidates of the one before miss
// (RFC 9725, section 4.3.1).
func (s *session) newGeneration() {
	s.generation++
	s.candidates = 0
	s.etag = strconv.Quote(s.id[:8] + "-" + strconv.Itoa(s.generation))
}

// patched is the outcome of a PATCH: a problem, or a restart's fragment and tag, or neither.
type patched struct {
	etag     string // new one, after a restart
	fragment string
	err      error
}

// patch adds the publisher's candidates or restarts ICE, on the control loop. The quoted star is how
// RFC 9725's example of a restart has it (section 4.3.3).
func (s *session) patch(ctx context.Context, ifMatch string, f sdpfrag.Fragment) patched {
	ufrag := sdpfrag.Attribute(s.offer, "ice-ufrag")
	switch {
	case ifMatch != "*" && ifMatch != `"*"` && ifMatch != s.etag:
		return patched{err: newProblem(http.StatusPreconditionFailed, "the ICE session has been restarted; use the newest ETag")}
	case f.Ufrag != ufrag:
		return s.restart(ctx, f)
	}
	s.candidates += len(f.Candidates)
	if s.candidates > sdpfrag.MaxCandidates {
		return patched{err: newProblem(http.StatusUnprocessableEntity, "too many candidates")}
	}
	for _, c := range f.Candidates {
		if err := s.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c.Value, SDPMid: &c.Mid}); err != nil {
			return patched{err: newProblem(http.StatusBadRequest, fmt.Sprintf("candidate %.80q: %v", c.Value, err))}
		}
	}
	return patched{}
}

func (s *session) restart(ctx context.Context, f sdpfrag.Fragment) patched {
	if f.Pwd == "" {
		return patched{err: newProblem(http.StatusBadRequest, "a restart needs a=ice-pwd")}
	}
	if !s.restarts.take(time.Now()) {
		return patched{err: newProblem(http.StatusTooManyRequests, "ICE was restarted too often; wait a second").with("Retry-After", "1")}
	}
	offer, err := f.Apply(s.offer)
	if err != nil {
		return patched{err: err}
	}
	answer, err := s.negotiate(ctx, offer)
	if err != nil {
		return patched{err: fmt.Errorf("restart ICE: %w", err)}
	}
	s.offer = offer
	s.newGeneration()
	ours := &sdp.SessionDescription{}
	if err := ours.UnmarshalString(answer); err != nil {
		return patched{err: fmt.Errorf("parse own answer: %w", err)}
	}
	return patched{etag: s.etag, fragment: sdpfrag.Of(ours).String()}
}
