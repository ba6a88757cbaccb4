package avfile

import (
	"fmt"
	"math"
	"testing"
)

// PQ and HLG become 8-bit pictures of BT.709: the levels of light are those of BT.2100 and BT.2408, highlights are
// compressed, and the colours of BT.2020 are clipped.
func TestHighDynamicRange(t *testing.T) {
	for _, c := range []struct {
		name, transfer string
		y, u, v        float64    // signal: luma of 0 to 1, chroma of -0.5 to 0.5
		want           [3]float64 // blue, green, red
	}{
		{"black", "smpte2084", 0, 0, 0, [3]float64{}},
		{"100 cd/m2", "smpte2084", 0.5081, 0, 0, [3]float64{190, 190, 190}},
		{"diffuse white", "smpte2084", 0.5807, 0, 0, [3]float64{245, 245, 245}},
		{"10,000 cd/m2", "smpte2084", 1, 0, 0, [3]float64{255, 255, 255}},
		{"red", "smpte2084", 0.2627 * 0.58, -0.2627 * 0.58 / 1.8814, 0.58 / 2, [3]float64{0, 0, 255}},
		{"black", "arib-std-b67", 0, 0, 0, [3]float64{}},
		{"51 cd/m2", "arib-std-b67", 0.5, 0, 0, [3]float64{143, 143, 143}},
		{"diffuse white", "arib-std-b67", 0.75, 0, 0, [3]float64{245, 245, 245}},
		{"1,000 cd/m2", "arib-std-b67", 1, 0, 0, [3]float64{255, 255, 255}},
	} {
		t.Run(c.transfer+" "+c.name, func(t *testing.T) {
			filter := fmt.Sprintf("format=yuv420p10le,geq=lum=%d:cb=%d:cr=%d", int(math.Round(64+876*c.y)),
				int(math.Round(512+896*c.u)), int(math.Round(512+896*c.v)))
			file := makeVideo(t, "a.mkv", "-f", "lavfi", "-i", "color=black:size=64x48:rate=5:duration=0.2", "-vf",
				filter, "-c:v", "ffv1", "-color_trc", c.transfer, "-color_primaries", "bt2020", "-colorspace",
				"bt2020nc")
			f, _ := first(t, file)
			pixels := bgr(t, file)
			for i, want := range c.want {
				if got := float64(pixels[3*(64*24+32)+i]); math.Abs(got-want) > 3 {
					t.Fatalf("blue, green and red are %v, want %v", pixels[3*(64*24+32):][:3], c.want)
				}
			}
			luma := 16 + 219*(0.0722*c.want[0]+0.7152*c.want[1]+0.2126*c.want[2])/255
			if got := float64(f.Y[f.YStride*24+32]); math.Abs(got-luma) > 3 || !f.BT709 || f.FullRange {
				t.Errorf("luma is %v, want %.0f; BT.709 %v, full range %v", got, luma, f.BT709, f.FullRange)
			}
		})
	}
}
