package server

import (
	"context"
	"errors"

	"github.com/pion/webrtc/v3"
	"github.com/prometheus/client_golang/prometheus"

	"mindflow/server/operate"
)

// refusal reasons of metrics; those that a problem names itself come on top.
const (
	refusedFull     = "full"
	refusedDraining = "draining"
	refusedWaiting  = "waiting" // it may wait
	refusedAddress  = "per-address"
	refusedKey      = "per-key"
	refusedToken    = "token" // none, or none that may be used
	refusedOffer    = "offer" // no offer, or none that can be served
	refusedOrigin   = "origin"
	refusedGone     = "gone" // the publisher left while it was answered
	refusedInternal = "internal"
)

// meters are the server's metrics, with those at hand that every frame may need.
type meters struct {
	*operate.Metrics
	dropped [dropReasons]prometheus.Counter
}

// newMeters gives the metrics with the series that are known, so that a scrape finds them at zero before anything
// has happened.
func newMeters(cfg Config, e Engine) *meters {
	m := &meters{Metrics: cfg.Metrics}
	m.SessionsLimit.Set(float64(cfg.MaxSessions))
	for r, name := range dropNames {
		m.dropped[r] = m.Dropped.WithLabelValues(name)
	}
	for _, why := range endReasons {
		m.Ended.WithLabelValues(string(why))
	}
	for _, why := range []string{refusedFull, refusedDraining, refusedWaiting, refusedAddress, refusedKey, refusedToken, refusedOffer, refusedOrigin, refusedGone, refusedInternal} {
		m.Refused.WithLabelValues(why)
	}
	for state := webrtc.ICEConnectionStateNew; state <= webrtc.ICEConnectionStateClosed; state++ {
		m.ICE.WithLabelValues(state.String())
	}
	for _, part := range []string{"decode", "reassembly", "analysis", "labels", "control", "http", "device"} {
		m.Errors.WithLabelValues(part)
	}
	m.GaugeVecFunc("degraded", "Parts that work on less than they were set to use, such as the CPU after a fault of the GPU.", "part",
		func() map[string]uint64 {
			levels := map[string]uint64{}
			if e.Degraded != nil {
				for part := range e.Degraded() {
					levels[part] = 1
				}
			}
			return levels
		})
	return m
}

// refused counts an offer that no session came of.
func (s *Server) refused(err error) {
	var p *problem
	switch {
	case errors.As(err, &p) && p.reason != "":
		s.meters.Refused.WithLabelValues(p.reason).Inc()
	case errors.As(err, &p) && p.Status < 500:
		s.meters.Refused.WithLabelValues(refusedOffer).Inc()
	case errors.Is(err, context.Canceled):
		s.meters.Refused.WithLabelValues(refusedGone).Inc()
	default:
		s.meters.Refused.WithLabelValues(refusedInternal).Inc()
	}
}

// drop counts frames without labels.
func (s *session) drop(r dropReason, n uint64) {
	if n == 0 {
		return
	}
	s.dropped.add(r, n)
	s.meters.dropped[r].Add(float64(n))
}

// failed logs and counts what should not fail in a part of the server.
func (s *session) failed(part, what string, err error) {
	s.meters.Errors.WithLabelValues(part).Inc()
	s.log.Error(what, "err", err)
}

// iceChanged counts the states that ICE comes to. It is Pion's callback, whose end Pion waits for when it closes the connection, with locks held
// that most of its methods take: it asks nothing of Pion.
func (s *session) iceChanged(state webrtc.ICEConnectionState) {
	s.meters.ICE.WithLabelValues(state.String()).Inc()
	if state == webrtc.ICEConnectionStateConnected {
		s.post(s.pathFound)
	}
}

// pathFound says which way the publisher is connected, and asks for a key frame: what was sent before was lost, and so was what was asked for.
func (s *session) pathFound() {
	if s.receiver != nil {
		s.receiver.PathChanged()
	}
	pair, err := s.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil { // lost again meanwhile
		return
	}
	s.meters.Paths.WithLabelValues(pair.Local.Protocol.String(), pair.Remote.Typ.String()).Inc()
	s.log.Info("connected", "protocol", pair.Local.Protocol.String(), "remote", pair.Remote.Typ.String())
}
