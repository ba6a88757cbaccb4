package server

import (
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/server/receive"
)

// startMedia begins to serve the publisher's video. Only its first track is.
func (s *session) startMedia(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	codec, ok := s.terms.codecs.ofMIME(track.Codec().MimeType)
	if s.receiver != nil || !ok {
		if err := receiver.Stop(); err != nil {
			s.log.Debug("stop a track not used", "err", err)
		}
		return
	}
	cfg := receive.Config{
		Codec: codec, SSRC: uint32(track.SSRC()), Feedback: feedbackOf(track.Codec()), RTCP: s.pc, Log: s.log,
	}
	cfg.Counters.PLIs, cfg.Counters.NACKs = s.meters.KeyframesAsked, s.meters.Repairs
	var err error
	if s.receiver, err = receive.New(cfg); err != nil {
		s.failed("reassembly", "begin reassembly", err)
		s.end(endInternal)
		return
	}
	s.log.Info("video", "codec", codec)
	s.spawn("drain", func() { drain(receiver) })
	s.spawn("read", func() {
		defer s.end(endClosed) // a track that cannot be read is over
		s.receiver.Run(&video{s, track, codec}, &decoderQueue{s, dropLost})
	})
	s.spawn("decode", func() { s.decode(codec) })
	s.spawn("infer", s.infer)
}

// feedbackOf returns the feedback that the publisher agreed to.
func feedbackOf(codec webrtc.RTPCodecParameters) receive.Feedback {
	has := func(kind string) bool { return slices.Contains(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: kind}) }
	return receive.Feedback{
		NACK: has(webrtc.TypeRTCPFBNACK), REMB: has(webrtc.TypeRTCPFBGoogREMB), TransportCC: has(webrtc.TypeRTCPFBTransportCC),
	}
}

// drain reads the RTCP that comes with the video: the reports in it reach Pion's feedback only when
// somebody reads.
func drain(receiver *webrtc.RTPReceiver) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := receiver.Read(buf); err != nil {
			return // the connection is closed
		}
	}
}

// video is the track as a source of packets. Packets of another codec are left out: a publisher that changes its codec begins a new
// session.
type video struct {
	*session
	track *webrtc.TrackRemote
	codec pipeline.Codec
}

// ReadRTP reads the next packet and notes that media came.
func (v *video) ReadRTP() (*rtp.Packet, error) {
	for {
		p, _, err := v.track.ReadRTP()
		if err != nil {
			return nil, err
		}
		if sent, _ := v.terms.codecs.ofMIME(v.track.Codec().MimeType); sent != v.codec {
			continue
		}
		if len(p.Payload) > 0 { // padding is no media
			v.heard.Store(time.Now().UnixNano())
		}
		return p, nil
	}
}

// decoderQueue takes units for the decoder.
type decoderQueue struct {
	*session
	why dropReason // why units are dropped until the next key unit
}

// Unit queues a unit, unless the session is paused or the queue is full.
func (q *decoderQueue) Unit(u pipeline.Unit) (used bool) {
	q.meters.Received(len(u.Data), 1)
	if q.why, used = q.pass(u); !used {
		q.drop(q.why, 1)
	}
	return used
}

// Dropped counts units that nothing can be made of.
func (q *decoderQueue) Dropped(units uint64) { q.drop(q.why, units) }

// NeedKeyframe requests a key frame, which a paused session does not need.
func (q *decoderQueue) NeedKeyframe() {
	if !q.paused.Load() {
		q.receiver.RequestKeyframe()
	}
}

// pass hands a unit to decode, or says why not; then only a key unit can follow it.
func (s *session) pass(u pipeline.Unit) (reason dropReason, passed bool) {
	if s.paused.Load() {
		return dropPaused, false
	}
	select {
	case s.units <- u:
		return dropLost, true
	default:
	}
	s.drop(dropOverflow, s.flush())
	s.receiver.RequestKeyframe()
	return dropOverflow, false
}

// flush empties the queue to decode, so that what it holds does not make the next key frame late.
func (s *session) flush() (n uint64) {
	for {
		select {
		case <-s.units:
			n++
		default:
			return n
		}
	}
}
