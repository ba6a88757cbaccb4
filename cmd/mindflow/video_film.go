package main

import (
	"context"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/vision"
)

// film is the annotated video, begun at its first picture, whose size it takes. Its zero path is none.
type film struct {
	path      string
	rate      float64
	recording *vision.Recording // nil before the first picture
}

func (f *film) add(ctx context.Context, picture *vision.Picture, at time.Duration, faces []pipeline.Label) (err error) {
	if f.path == "" {
		return nil
	}
	if f.recording == nil {
		w, h := picture.Size()
		if f.recording, err = vision.Record(f.path, f.rate, w, h); err != nil {
			return err
		}
	}
	picture.Draw(faces)
	return f.recording.Add(ctx, picture, at)
}

func (f *film) close() error {
	if f.recording == nil {
		return nil
	}
	return f.recording.Close()
}

func (f *film) discard() error {
	if f.recording == nil {
		return nil
	}
	return f.recording.Discard()
}
