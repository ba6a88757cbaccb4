package server

import (
	"time"
)

// registerMetrics registers what is measured elsewhere, and creates the series that are known, so that a scrape finds
// them at zero.
func (s *Server) registerMetrics() {
	m := s.metrics
	m.SessionsLimit.Set(float64(s.cfg.MaxSessions))
	for _, why := range []string{
		refusedFull, refusedDraining, refusedWaiting, refusedAddress, refusedKey, refusedToken, refusedOffer,
		refusedOrigin, refusedGone, refusedInternal,
	} {
		m.Refused.WithLabelValues(why)
	}
	for _, part := range []string{"http", "device"} {
		m.Errors.WithLabelValues(part)
	}
	m.CounterVecFunc("http_refused_connections_total",
		"HTTP connections that were one too many.", "bound", s.conns.Refused)
	m.CounterVecFunc("media_port_dropped_packets_total",
		"Packets that the filter before the media ports did not let through.", "reason", s.media.Filter.Drops)
	m.GaugeVecFunc("degraded",
		"Parts that work on less than they were set to use, such as the CPU after a fault of the GPU.", "part",
		func() map[string]uint64 {
			levels := map[string]uint64{}
			if s.cfg.Degraded != nil {
				for part := range s.cfg.Degraded() {
					levels[part] = 1
				}
			}
			return levels
		})
	m.GaugeFunc("waiting", "Newcomers that wait for a place.", func() float64 {
		return float64(s.admission.Waiting(time.Now()))
	})
	m.GaugeFunc("session_labels_per_second",
		"Labels a second that a session with many frames could get; infinite while few come.",
		func() float64 { return s.load.Rate(time.Now()) })
}
