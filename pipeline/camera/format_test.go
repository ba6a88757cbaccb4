package camera

import (
	"testing"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/prop"
)

func TestNearest(t *testing.T) {
	format := func(w, h int, rate float32, f frame.Format) prop.Media {
		return prop.Media{Video: prop.Video{Width: w, Height: h, FrameRate: rate, FrameFormat: f}}
	}
	formats := []prop.Media{
		format(1280, 720, 30, frame.FormatMJPEG), format(640, 480, 30, frame.FormatMJPEG),
		format(640, 480, 15, frame.FormatYUYV),
		format(640, 480, 30, frame.FormatYUYV), format(640, 480, 60, frame.FormatMJPEG),
		format(320, 240, 30, frame.FormatYUYV),
		format(640, 480, 30, frame.FormatZ16), format(1280, 720, 10, frame.FormatYUYV),
	}
	for _, c := range []struct {
		want Settings
		i    int
	}{
		{Settings{Width: 640, Height: 480, Rate: 30}, 3},
		{Settings{Width: 640, Height: 480, Rate: 60}, 4},
		{Settings{Width: 640, Height: 480, Rate: 10}, 2},
		{Settings{Width: 1920, Height: 1080, Rate: 30}, 0}, // not the slow one
		{Settings{Width: 160, Height: 120, Rate: 30}, 5},
	} {
		if got, ok := nearest(formats, c.want); !ok || got != formats[c.i] {
			t.Errorf("%+v: %+v", c.want, got.Video)
		}
	}
	if got, _ := nearest([]prop.Media{format(640, 480, 29.97, frame.FormatMJPEG),
		format(640, 480, 30, frame.FormatYUYV)}, wanted); got.FrameFormat != frame.FormatYUYV {
		t.Errorf("29.97 and 30 are told apart: %+v", got.Video)
	}
}
