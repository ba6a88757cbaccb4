package media

import (
	"context"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/vision"
)

// recording writes an annotated video at the size of its first picture. If path is empty, it writes nothing.
type recording struct {
	path string
	rate float64
	file *vision.Recording // nil before the first picture
}

func (r *recording) add(ctx context.Context, picture *vision.Picture, at time.Duration,
	faces []pipeline.Label) (err error) {
	if r.path == "" {
		return nil
	}
	if r.file == nil {
		w, h := picture.Size()
		if r.file, err = vision.Record(r.path, r.rate, w, h); err != nil {
			return err
		}
	}
	picture.Draw(faces)
	return r.file.Add(ctx, picture, at)
}

func (r *recording) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

func (r *recording) discard() error {
	if r.file == nil {
		return nil
	}
	return r.file.Discard()
}
