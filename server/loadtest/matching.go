package loadtest

import "time"

// sentFrames records when the latest frames were sent, by RTP timestamp. Older frames are overwritten before the 32
// bits of the timestamps wrap around.
type sentFrames struct {
	frames [2048]sentFrame // over a minute of them at 30 a second
	count  uint64
}

type sentFrame struct {
	rtp uint32
	at  time.Duration // on the session's clock
}

func (s *sentFrames) add(rtp uint32, at time.Duration) {
	s.frames[s.count%uint64(len(s.frames))] = sentFrame{rtp, at}
	s.count++
}

// find returns when the frame was sent. It searches from the newest, since labels are of recent frames.
func (s *sentFrames) find(rtp uint32) (at time.Duration, ok bool) {
	for i := range min(s.count, uint64(len(s.frames))) {
		if f := s.frames[(s.count-1-i)%uint64(len(s.frames))]; f.rtp == rtp {
			return f.at, true
		}
	}
	return 0, false
}

// sequence counts messages by their `seq`, which the server increments in each session: a gap is a message that was
// lost or that the server skipped. Messages may come in any order.
type sequence struct {
	first, last, got uint64
}

func (s *sequence) add(seq uint64) {
	switch {
	case s.got == 0:
		s.first, s.last = seq, seq
	case seq < s.first: // sent before counting began
		return
	}
	s.last = max(s.last, seq)
	s.got++
}

// lost returns the number of missing messages between the first and the last.
func (s *sequence) lost() uint64 {
	if s.got == 0 {
		return 0
	}
	return s.last - s.first + 1 - min(s.got, s.last-s.first+1)
}

// schedule computes from RTP timestamps, which wrap around, how late frames are sent.
type schedule struct {
	began time.Duration // when the first frame was sent
	last  uint32        // timestamp of the latest frame
	ticks int64         // from the first frame to the latest, 90 kHz
	begun bool
}

// late returns how much later than its timestamp says a frame is sent at a time, relative to the first frame.
func (s *schedule) late(rtp uint32, at time.Duration) time.Duration {
	if !s.begun {
		s.began, s.last, s.begun = at, rtp, true
	}
	s.ticks += int64(rtp - s.last)
	s.last = rtp
	return at - s.began - time.Duration(s.ticks)*(time.Second/10000)/9
}
