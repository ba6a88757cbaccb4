package camera

import (
	"image"
	"image/color"
	"testing"

	"mindflow/pipeline"
)

// Chroma of every layout comes to be the mean of what it covers, and pictures that end early are refused.
func TestPlanes(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio422,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio444} {
		whole := image.NewYCbCr(image.Rect(0, 0, 12, 12), ratio)
		for i := range whole.Y {
			whole.Y[i] = byte(i)
		}
		across, down, _ := subsampling(ratio)
		for i := range whole.Cb {
			x, y := i%whole.CStride, i/whole.CStride
			whole.Cb[i], whole.Cr[i] = byte(10*(x*across)+y*down), 77
		}
		for _, rect := range []image.Rectangle{whole.Rect, image.Rect(2, 4, 9, 9)} { // also odd, within a larger one
			src := whole.SubImage(rect).(*image.YCbCr)
			var f pipeline.Frame
			if err := planes(&f, src); err != nil {
				t.Fatal(err)
			}
			w, h := rect.Dx(), rect.Dy()
			if f.Width != w || f.Height != h || len(f.Y) != w*h || len(f.U) != (w+1)/2*((h+1)/2) {
				t.Fatalf("%v %v: %d by %d with %d, %d samples", ratio, rect, f.Width, f.Height, len(f.Y), len(f.U))
			}
			if got, want := f.Y[w+1], whole.Y[(rect.Min.Y+1)*12+rect.Min.X+1]; got != want {
				t.Errorf("%v %v: luma %d, want %d", ratio, rect, got, want)
			}
			want := 10*(rect.Min.X+2) + rect.Min.Y + 2
			if got := int(f.U[f.CStride+1]); got < want || got > want+6 || f.V[0] != 77 {
				t.Errorf("%v %v: chroma %d, want %d to %d", ratio, rect, got, want, want+6)
			}
		}
		short := *whole
		short.Cr = short.Cr[:len(short.Cr)-1]
		if err := planes(&pipeline.Frame{}, &short); err == nil {
			t.Errorf("%v: a picture that ends early was taken", ratio)
		}
	}
	if err := planes(&pipeline.Frame{}, image.NewUniform(color.White)); err == nil {
		t.Error("a picture that is no YCbCr was taken")
	}
}
