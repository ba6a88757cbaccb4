// Package receive makes access units of the RTP packets of one video track. All of loss recovery is here: reordering,
// how long a missing packet is waited for, which packets are requested again (NACK), when a key frame is requested
// (PLI), and what rate the sender is sent (REMB).
package receive

import (
	"log/slog"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"mindflow/pipeline"
)

// Source is where packets are read from.
type Source interface {
	ReadRTP() (*rtp.Packet, error) // after an error there are no more
}

// Sink takes what a Receiver makes. Its methods are called by the goroutine of Run.
type Sink interface {
	// Unit takes an access unit. It reports whether the unit is used: after one that is not, only a key unit can
	// follow.
	Unit(pipeline.Unit) (used bool)
	// Dropped counts units that were lost, or that build on one that was lost or not used.
	Dropped(units uint64)
	// NeedKeyframe says that nothing is decodable until a key unit comes. It is called again with each unit that is
	// dropped.
	NeedKeyframe()
}

// RTCPWriter sends feedback to the publisher, as Pion's peer connection does.
type RTCPWriter interface {
	WriteRTCP([]rtcp.Packet) error
}

// Counter is a counter of metrics, as Prometheus has it.
type Counter interface{ Add(float64) }

// Feedback is the RTCP feedback that the publisher agreed to in its offer.
type Feedback struct{ NACK, REMB, TransportCC bool }

// Config is what a Receiver is made for. All fields are required.
type Config struct {
	Codec    pipeline.Codec
	SSRC     uint32
	Feedback Feedback
	RTCP     RTCPWriter
	Log      *slog.Logger
	Counters struct {
		PLIs  Counter // key frame requests
		NACKs Counter // packets that were requested again
	}
}

// Receiver receives one track.
type Receiver struct {
	cfg       Config
	assembler *assembler
	keyframes keyframes

	// owned by Run's goroutine
	nacks     nacks
	bandwidth bandwidth
	missing   []uint16 // used again for each packet
}

// New makes a Receiver. It fails for an unknown codec.
func New(cfg Config) (*Receiver, error) {
	a, err := newAssembler(cfg.Codec, limits{})
	if err != nil {
		return nil, err
	}
	return &Receiver{cfg: cfg, assembler: a, bandwidth: newBandwidth(cfg.Feedback)}, nil
}

// Run receives packets until the source ends. Call it once.
func (r *Receiver) Run(from Source, to Sink) {
	take := func(u pipeline.Unit) { r.take(u, to) }
	for {
		p, err := from.ReadRTP()
		if err != nil {
			return
		}
		r.packet(p, time.Now(), take, to)
	}
}

// take hands over a unit.
func (r *Receiver) take(u pipeline.Unit, to Sink) {
	if !to.Unit(u) {
		r.assembler.resync()
	}
}

// packet takes a packet and sends the feedback that is due by it.
func (r *Receiver) packet(p *rtp.Packet, now time.Time, take func(pipeline.Unit), to Sink) {
	before := r.assembler.stats
	needKey := r.assembler.push(p, now, take)
	after := r.assembler.stats
	if n := after.Dropped - before.Dropped; n > 0 {
		to.Dropped(n)
	}
	// The rate goes before the request for a key frame, which has to keep to it.
	if rate, ok := r.bandwidth.due(p, after.HeavyLoss > before.HeavyLoss, now); ok {
		r.send("REMB", &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(rate), SSRCs: []uint32{r.cfg.SSRC}})
	}
	if needKey {
		to.NeedKeyframe()
	}
	r.missing = r.assembler.missing(r.missing[:0])
	request := r.nacks.due(r.missing, now)
	if len(request) == 0 || !r.cfg.Feedback.NACK {
		return
	}
	pairs := rtcp.NackPairsFromSequenceNumbers(request)
	if r.send("NACK", &rtcp.TransportLayerNack{MediaSSRC: r.cfg.SSRC, Nacks: pairs}) {
		r.cfg.Counters.NACKs.Add(float64(len(request)))
	}
}

// send sends a packet of RTCP. It reports whether that worked.
func (r *Receiver) send(kind string, p rtcp.Packet) bool {
	if err := r.cfg.RTCP.WriteRTCP([]rtcp.Packet{p}); err != nil {
		r.cfg.Log.Debug("send "+kind, "err", err)
		return false
	}
	return true
}
