package server

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/server/receive"
)

// keyframeInterval is the least time between two key frame requests: a key frame costs many packets,
// and asking again while it is under way makes a bad line worse.
const keyframeInterval = 500 * time.Millisecond

// startMedia begins to serve the publisher's video. Only its first track is.
func (s *session) startMedia(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	codec, ok := s.terms.codecs.ofMIME(track.Codec().MimeType)
	if s.video != nil || !ok {
		if err := receiver.Stop(); err != nil {
			s.log.Debug("stop a track not used", "err", err)
		}
		return
	}
	s.video = track
	s.log.Info("video", "codec", codec)
	s.spawn("drain", func() { drain(receiver) })
	s.spawn("read", func() { s.read(track, codec) })
	s.spawn("decode", func() { s.decode(codec) })
	s.spawn("infer", s.infer)
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

// wantKeyframe asks the control loop for a key frame. It may be called for every unit that cannot be
// used: the loop asks the publisher at most twice a second.
func (s *session) wantKeyframe() {
	select {
	case s.keyframe <- struct{}{}:
	default: // asked already
	}
}

func (s *session) sendPLI() {
	now := time.Now()
	if s.video == nil || now.Sub(s.lastPLI) < keyframeInterval {
		return
	}
	s.lastPLI = now
	pli := &rtcp.PictureLossIndication{MediaSSRC: uint32(s.video.SSRC())}
	if err := s.pc.WriteRTCP([]rtcp.Packet{pli}); err != nil {
		s.log.Debug("send PLI", "err", err)
		return
	}
	s.meters.KeyframesAsked.Inc()
}

// read takes packets off the network and makes units of them. It owns reassembly.
func (s *session) read(track *webrtc.TrackRemote, codec pipeline.Codec) {
	defer s.end(endClosed) // a track that cannot be read is over
	units, err := receive.New(codec, receive.Options{})
	if err != nil {
		s.failed("reassembly", "begin reassembly", err)
		s.end(endInternal)
		return
	}
	why := dropLost // the reason of what reassembly drops until the next key unit
	take := func(u pipeline.Unit) {
		s.meters.Received(len(u.Data), 1)
		reason, passed := s.pass(u)
		why = reason
		if !passed {
			s.drop(reason, 1)
			units.Resync()
		}
	}
	var repair repairs
	var missing []uint16
	rates := newRates(track.Codec())
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if sent, _ := s.terms.codecs.ofMIME(track.Codec().MimeType); sent != codec {
			continue // a publisher that changes its codec begins a new session
		}
		now := time.Now()
		if len(p.Payload) > 0 { // padding is no media
			s.heard.Store(now.UnixNano())
		}
		before := units.Stats()
		needKey := units.Push(p, now, take)
		after := units.Stats()
		s.drop(why, after.Dropped-before.Dropped)
		if rate, ok := rates.due(p, after.Riddled > before.Riddled, now); ok {
			s.tellRate(uint32(track.SSRC()), rate) // before a key frame is asked for, which is to keep to it
		}
		if needKey && !s.paused.Load() {
			s.wantKeyframe()
		}
		missing = units.Missing(missing[:0])
		if ask := repair.due(missing, now); len(ask) > 0 && repairable(track.Codec()) {
			s.askFor(uint32(track.SSRC()), ask)
		}
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
	s.wantKeyframe()
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
