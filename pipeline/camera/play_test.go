package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
)

// clip has frames at given times, in milliseconds.
type clip struct {
	at     []int
	frame  pipeline.Frame
	closed *int
}

func (f *clip) Next() (*pipeline.Frame, time.Duration, error) {
	if len(f.at) == 0 {
		return nil, 0, io.EOF
	}
	at := time.Duration(f.at[0]) * time.Millisecond
	f.at = f.at[1:]
	return &f.frame, at, nil
}

func (f *clip) Close() error { *f.closed++; return nil }

// Play keeps the times and properties of the frames, and ends.
func TestPlay(t *testing.T) {
	closed := 0
	blank := pipeline.Frame{Width: 4, Height: 4, YStride: 4, CStride: 2, Y: make([]byte, 16), U: make([]byte, 4),
		V: make([]byte, 4), BT709: true, FullRange: true}
	d, err := Play("a video", func() (pipeline.Video, error) {
		return &clip{at: []int{40, 80, 90, 200}, frame: blank, closed: &closed}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	began := time.Now()
	if err := d.Run(t.Context(), wanted, func(f *pipeline.Frame) {
		got = append(got, f.RTP)
		if !f.BT709 || !f.FullRange || time.Now().Before(f.Arrived) {
			t.Errorf("frame %+v came early or says too little", f)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[0 3600 4500 14400]" || closed != 1 || time.Since(began) < 160*time.Millisecond {
		t.Errorf("frames at %v after %v, closed %d times", got, time.Since(began), closed)
	}
	absent := errors.New("absent")
	d, err = Play("a video", func() (pipeline.Video, error) { return nil, absent })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context(), wanted, nil); !errors.Is(err, absent) || strings.Contains(err.Error(), "plugged") {
		t.Errorf("a video that is absent: %v", err)
	}
}

// slides is a video that is interrupted while its second frame is an hour away.
type slides struct {
	clip
	interrupt func()
}

func (s *slides) Next() (*pipeline.Frame, time.Duration, error) {
	if len(s.at) == 1 {
		s.interrupt()
	}
	return s.clip.Next()
}

func TestPlayInterrupted(t *testing.T) {
	closed, frames := 0, 0
	blank := pipeline.Frame{Width: 4, Height: 4, YStride: 4, CStride: 2, Y: make([]byte, 16), U: make([]byte, 4),
		V: make([]byte, 4)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	d, err := Play("a video", func() (pipeline.Video, error) {
		return &slides{clip{at: []int{0, 3600_000}, frame: blank, closed: &closed}, stop}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = d.Run(ctx, wanted, func(*pipeline.Frame) { frames++ })
	if !errors.Is(err, context.Canceled) || frames != 1 || closed != 1 {
		t.Errorf("%v after %d frames, closed %d times", err, frames, closed)
	}
}
