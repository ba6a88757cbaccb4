package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/vpx"
	"mindflow/server/whipclient"
)

// sender codes the newest frames and sends them, on a goroutine of its own.
type sender struct {
	// static after construction
	feed    *feed
	client  *whipclient.Client
	bitrate int // bit/s
	done    chan struct{}

	latest atomic.Int64 // ticks of 90 kHz, of the latest frame that was sent

	// owned by run
	encoder *vpx.Encoder // nil before the first frame
	err     error        // to be read after done; nil at the end of a film
}

func (s *sender) run(ctx context.Context) {
	defer close(s.done)
	s.err = s.frames(ctx)
	if s.encoder != nil {
		s.err = errors.Join(s.err, s.encoder.Close())
	}
}

// frames sends until the film, or ctx, ends. The first is a key frame, as every encoder's is.
func (s *sender) frames(ctx context.Context) error {
	for {
		f, ok := s.feed.next(ctx)
		if !ok {
			return ctx.Err()
		}
		key := false
		select {
		case <-s.client.KeyframeRequests():
			key = true
		default:
		}
		if err := s.send(f, key); err != nil {
			return err
		}
	}
}

func (s *sender) send(f *pipeline.Frame, key bool) (err error) {
	if s.encoder != nil && !s.encoder.Fits(f) {
		if err := s.encoder.Close(); err != nil {
			return err
		}
		s.encoder = nil
	}
	if s.encoder == nil {
		if s.encoder, err = vpx.Open(f.Width, f.Height, s.bitrate); err != nil {
			s.encoder = nil
			return &finalError{err.Error()}
		}
	}
	unit, err := s.encoder.Encode(f, key)
	if err != nil {
		return &finalError{err.Error()}
	}
	s.latest.Store(int64(f.Arrived.Sub(s.feed.began)) * 9 / 100000)
	return s.client.WriteUnit(unit)
}

// at is the time since the first frame of what has this RTP timestamp, which was sent not long ago.
func (s *sender) at(rtp uint32) time.Duration {
	latest := s.latest.Load()
	ticks := latest + int64(int32(rtp-uint32(latest)))
	return time.Duration(max(0, ticks)) * 100000 / 9
}
