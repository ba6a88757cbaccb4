package server

import (
	"errors"
	"time"

	"mindflow/pipeline"
)

// decode turns units into frames and leaves the newest in the mailbox. It opens, calls and closes the
// decoder, which belongs to one goroutine.
func (s *session) decode(codec pipeline.Codec) {
	decoder, err := s.engine.OpenDecoder(codec)
	if err != nil {
		s.failed("decode", "open decoder", err)
		s.end(endInternal)
		return
	}
	defer func() {
		if err := decoder.Close(); err != nil {
			s.failed("decode", "close decoder", err)
		}
	}()
	var last time.Time // when one was put
	put := func(f *pipeline.Frame) {
		now := time.Now()
		s.meters.Decoded(f.Decode)
		if s.frames.Put(f) {
			s.drop(dropStale, 1)
			if now.Sub(last) >= inOneGo {
				s.waited.Add(1)
			}
		}
		last = now
	}
	awaitKey := false // read begins with a key unit
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
		if errors.As(err, &large) && large.TooLarge() { // the key frame to ask for would be as large
			s.log.Warn("end session", "err", err)
			s.end(endTooLarge)
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
