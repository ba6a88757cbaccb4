package session

import (
	"errors"
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/server/receive"
)

// burst is the time within which frames count as decoded at once, as after a repair. The line is the reason that only
// the newest of them is analysed: a lower frame rate would not help.
const burst = 10 * time.Millisecond

// startMedia starts to serve the publisher's video: its first track in a codec of the server's.
func (s *Session) startMedia(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	codec, ok := s.cfg.Codecs.OfMIME(track.Codec().MimeType)
	if s.receiver != nil || !ok {
		if err := receiver.Stop(); err != nil {
			s.log.Debug("stop an unused track", "err", err)
		}
		return
	}
	cfg := receive.Config{
		Codec: codec, SSRC: uint32(track.SSRC()), Feedback: feedbackOf(track.Codec()), RTCP: s.pc, Log: s.log,
	}
	cfg.Counters.PLIs, cfg.Counters.NACKs = s.meters.KeyframesAsked, s.meters.Repairs
	var err error
	if s.receiver, err = receive.New(cfg); err != nil {
		s.failed("reassembly", "make the receiver", err)
		s.End(EndInternal)
		return
	}
	s.log.Info("video", "codec", codec)
	s.spawn("rtcp", func() { readRTCP(receiver) })
	s.spawn("receive", func() {
		defer s.End(EndClosed) // the track has ended
		s.receiver.Run(&video{s, track, codec}, &decoderQueue{s, dropLost})
	})
	s.spawn("decode", func() { s.decode(codec) })
	s.spawn("analyse", func() { newAnalyst(s).run() })
}

// feedbackOf returns the feedback that the publisher agreed to.
func feedbackOf(codec webrtc.RTPCodecParameters) receive.Feedback {
	has := func(kind string) bool { return slices.Contains(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: kind}) }
	return receive.Feedback{
		NACK:        has(webrtc.TypeRTCPFBNACK),
		REMB:        has(webrtc.TypeRTCPFBGoogREMB),
		TransportCC: has(webrtc.TypeRTCPFBTransportCC),
	}
}

// readRTCP reads the incoming RTCP of the video. Pion's interceptors process the sender's reports only when they are
// read.
func readRTCP(receiver *webrtc.RTPReceiver) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := receiver.Read(buf); err != nil {
			return // the connection is closed
		}
	}
}

// video is the track as a receiver's source. Packets in another codec are left out: a publisher that changes its codec
// has to make a new session.
type video struct {
	*Session
	track *webrtc.TrackRemote
	codec pipeline.Codec
}

// ReadRTP reads the next packet, and records when media came.
func (v *video) ReadRTP() (*rtp.Packet, error) {
	for {
		p, _, err := v.track.ReadRTP()
		if err != nil {
			return nil, err
		}
		if sent, _ := v.cfg.Codecs.OfMIME(v.track.Codec().MimeType); sent != v.codec {
			continue
		}
		if len(p.Payload) > 0 { // padding is not media
			v.heard.Store(time.Now().UnixNano())
		}
		return p, nil
	}
}

// decoderQueue is a receiver's sink: it queues units for the decoder.
type decoderQueue struct {
	*Session
	why dropReason // of units that are dropped until the next key unit
}

// Unit queues a unit, unless the session is paused. When the queue is full it is emptied, so that what it holds does
// not delay the next key frame.
func (q *decoderQueue) Unit(u pipeline.Unit) (used bool) {
	q.meters.Received(len(u.Data), 1)
	if q.paused.Load() {
		q.why = dropPaused
		q.drop(dropPaused, 1)
		return false
	}
	select {
	case q.units <- u:
		q.why = dropLost
		return true
	default:
	}
	q.why = dropOverflow
	q.drop(dropOverflow, q.empty()+1)
	q.receiver.RequestKeyframe()
	return false
}

// empty removes all units from the queue and returns their number.
func (q *decoderQueue) empty() (n uint64) {
	for {
		select {
		case <-q.units:
			n++
		default:
			return n
		}
	}
}

// Dropped counts units that cannot be decoded.
func (q *decoderQueue) Dropped(units uint64) { q.drop(q.why, units) }

// NeedKeyframe requests a key frame, unless the session is paused.
func (q *decoderQueue) NeedKeyframe() {
	if !q.paused.Load() {
		q.receiver.RequestKeyframe()
	}
}

// decode makes frames of units and leaves the newest in the mailbox. Its goroutine opens, calls and closes the decoder.
func (s *Session) decode(codec pipeline.Codec) {
	decoder, err := s.cfg.Engine.OpenDecoder(codec)
	if err != nil {
		s.failed("decode", "open decoder", err)
		s.End(EndInternal)
		return
	}
	defer func() {
		if err := decoder.Close(); err != nil {
			s.failed("decode", "close decoder", err)
		}
	}()
	var last time.Time // when a frame was put
	put := func(f *pipeline.Frame) {
		now := time.Now()
		s.meters.Decoded(f.Decode)
		if s.frames.Put(f) {
			s.drop(dropStale, 1)
			if now.Sub(last) >= burst {
				s.waited.Add(1)
			}
		}
		last = now
	}
	awaitKey := false // the first unit is a key unit
	for {
		var u pipeline.Unit
		select {
		case <-s.ctx.Done():
			return
		case u = <-s.units:
		}
		if awaitKey && !u.Key {
			s.drop(dropCorrupt, 1)
			s.receiver.RequestKeyframe()
			continue
		}
		err := decoder.Decode(u, put)
		awaitKey = err != nil
		var large interface{ TooLarge() bool }
		if errors.As(err, &large) && large.TooLarge() { // so would be the key frame to request
			s.log.Warn("end session", "err", err)
			s.End(EndTooLarge)
			return
		}
		if err != nil {
			s.meters.Errors.WithLabelValues("decode").Inc()
			s.log.Debug("decode", "err", err)
			s.drop(dropCorrupt, 1)
			s.receiver.RequestKeyframe()
		}
	}
}
