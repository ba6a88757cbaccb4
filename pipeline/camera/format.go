package camera

import (
	"cmp"
	"math"
	"slices"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/prop"
)

// nearest returns the format nearest to want: by size, then by rate, then the cheapest to decode. Depth formats do not
// count.
func nearest(formats []prop.Media, want Settings) (prop.Media, bool) {
	formats = slices.DeleteFunc(slices.Clone(formats),
		func(f prop.Media) bool { return f.FrameFormat == frame.FormatZ16 })
	if len(formats) == 0 {
		return prop.Media{}, false
	}
	return slices.MinFunc(formats, func(a, b prop.Media) int {
		return cmp.Or(
			cmp.Compare(sizeDistance(a, want), sizeDistance(b, want)),
			cmp.Compare(rateDistance(a, want), rateDistance(b, want)),
			cmp.Compare(cost(a), cost(b)))
	}), true
}

func sizeDistance(f prop.Media, want Settings) float64 {
	return math.Abs(math.Log(float64(f.Width)/float64(want.Width))) +
		math.Abs(math.Log(float64(f.Height)/float64(want.Height)))
}

// rateDistance counts one frame too few as much as ten too many. A rate of zero is unknown.
func rateDistance(f prop.Media, want Settings) float64 {
	d := float64(f.FrameRate) - want.Rate
	switch {
	case f.FrameRate == 0 || math.Abs(d) < 0.05: // 29.97
		return 0
	case d > 0:
		return d / 10
	}
	return -d
}

func cost(f prop.Media) int {
	switch f.FrameFormat {
	case frame.FormatI420:
		return 0
	case frame.FormatMJPEG:
		return 2
	}
	return 1
}
