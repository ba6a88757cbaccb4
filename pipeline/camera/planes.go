package camera

import (
	"fmt"
	"image"
	"time"

	"mindflow/pipeline"
)

// picture is the image of our own drivers, which knows more than those of the standard library.
type picture struct {
	image.YCbCr
	taken            time.Time
	bt709, fullRange bool
}

// newPicture returns a picture on the planes of f.
func newPicture(f *pipeline.Frame, taken time.Time) *picture {
	return &picture{taken: taken, bt709: f.BT709, fullRange: f.FullRange, YCbCr: image.YCbCr{
		Y: f.Y, Cb: f.U, Cr: f.V, YStride: f.YStride, CStride: f.CStride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, f.Width, f.Height),
	}}
}

// planes copies an image into f as I420. Drivers return YCbCr; chroma of more samples is averaged.
func planes(f *pipeline.Frame, img image.Image) error {
	src, ok := img.(*image.YCbCr)
	if p, own := img.(*picture); own {
		src, ok = &p.YCbCr, true
	}
	if !ok {
		return fmt.Errorf("a picture of type %T; YCbCr is what can be used", img)
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	across, down, ok := subsampling(src.SubsampleRatio)
	if !ok || w < 1 || h < 1 {
		return fmt.Errorf("a picture of %d by %d pixels with chroma %v; 4:2:0, 4:2:2 and 4:4:4 can be used", w, h,
			src.SubsampleRatio)
	}
	cw, ch := (w+across-1)/across, (h+down-1)/down
	y, c := src.YOffset(src.Rect.Min.X, src.Rect.Min.Y), src.COffset(src.Rect.Min.X, src.Rect.Min.Y)
	if len(src.Y) < y+src.YStride*(h-1)+w || min(len(src.Cb), len(src.Cr)) < c+src.CStride*(ch-1)+cw {
		return fmt.Errorf("a picture of %d by %d pixels that ends early", w, h)
	}
	f.Width, f.Height = w, h
	f.YStride, f.CStride = w, (w+1)/2
	f.Y, f.U, f.V = room(f.Y, w*h), room(f.U, f.CStride*((h+1)/2)), room(f.V, f.CStride*((h+1)/2))
	for row := range h {
		copy(f.Y[row*w:(row+1)*w], src.Y[y+row*src.YStride:])
	}
	shrink(f.U, f.CStride, src.Cb[c:], src.CStride, cw, ch, 2/across, 2/down)
	shrink(f.V, f.CStride, src.Cr[c:], src.CStride, cw, ch, 2/across, 2/down)
	return nil
}

// subsampling returns how many luma samples share one chroma sample.
func subsampling(r image.YCbCrSubsampleRatio) (across, down int, ok bool) {
	switch r {
	case image.YCbCrSubsampleRatio420:
		return 2, 2, true
	case image.YCbCrSubsampleRatio422:
		return 2, 1, true
	case image.YCbCrSubsampleRatio440:
		return 1, 2, true
	case image.YCbCrSubsampleRatio444:
		return 1, 1, true
	}
	return 0, 0, false
}

func room(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// shrink writes the mean of each across by down samples of a plane of w by h. The last samples repeat beyond the edge.
func shrink(dst []byte, width int, src []byte, stride, w, h, across, down int) {
	for row := 0; row*down < h; row++ {
		out := dst[row*width : (row+1)*width]
		upper, lower := src[row*down*stride:], src[min(row*down+down-1, h-1)*stride:]
		if across == 1 {
			for x := range out {
				out[x] = byte((int(upper[x]) + int(lower[x]) + 1) / 2)
			}
			continue
		}
		for x := range out {
			a, b := 2*x, min(2*x+1, w-1)
			out[x] = byte((int(upper[a]) + int(upper[b]) + int(lower[a]) + int(lower[b]) + 2) / 4)
		}
	}
}
