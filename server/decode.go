package server

import (
	"mindflow/pipeline"
)

// decode turns units into frames and leaves the newest in the mailbox. It opens, calls and closes the
// decoder, which belongs to one goroutine.
func (s *session) decode(codec pipeline.Codec) {
	decoder, err := s.engine.OpenDecoder(codec)
	if err != nil {
		s.log.Error("open decoder", "codec", codec, "err", err)
		s.end(endInternal)
		return
	}
	defer func() {
		if err := decoder.Close(); err != nil {
			s.log.Error("close decoder", "err", err)
		}
	}()
	put := func(f *pipeline.Frame) {
		if s.frames.Put(f) {
			s.dropped.add(dropStale, 1)
		}
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
			s.dropped.add(dropCorrupt, 1)
			s.wantKeyframe()
			continue
		}
		err := decoder.Decode(u, put)
		awaitKey = err != nil
		if err != nil {
			s.log.Debug("decode", "err", err)
			s.dropped.add(dropCorrupt, 1)
			s.wantKeyframe()
		}
	}
}
