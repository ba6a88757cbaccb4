package vision

import (
	"errors"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
)

// Frame converts the picture to a frame in Go's memory (full range, BT.601, chroma at the centre of its four pixels).
// Its luma is OpenCV's grey picture. The frame is valid until the next call, which reuses its memory.
func (p *Picture) Frame() (*pipeline.Frame, error) {
	w, h := p.mat.Cols(), p.mat.Rows()
	from, even, grey, colour, half := p.mat, &p.steps[0], &p.steps[1], &p.steps[2], &p.steps[3]
	if w%2+h%2 > 0 { // repeat the last row and column, so that each chroma sample has four pixels
		gocv.CopyMakeBorder(p.mat, even, 0, h%2, 0, w%2, gocv.BorderReplicate, colours[0])
		from = *even
	}
	gocv.CvtColor(from, grey, gocv.ColorBGRToGray)
	gocv.CvtColor(from, colour, gocv.ColorBGRToYCrCb)
	f := &p.frame
	f.Width, f.Height, f.YStride, f.CStride, f.FullRange = w, h, w+w%2, (w+1)/2, true
	rows := (h + 1) / 2
	gocv.Resize(*colour, half, image.Pt(f.CStride, rows), 0, 0, gocv.InterpolationArea)
	luma, err := grey.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("convert picture: %w", err)
	}
	chroma, err := half.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("convert picture: %w", err)
	}
	if len(luma) != f.YStride*2*rows || len(chroma) != 3*f.CStride*rows {
		return nil, fmt.Errorf("convert picture: OpenCV gave %d and %d bytes for %d by %d", len(luma), len(chroma), w,
			h)
	}
	f.Y = append(f.Y[:0], luma...)
	f.U, f.V = f.U[:0], f.V[:0]
	for i := 0; i < len(chroma); i += 3 {
		f.V, f.U = append(f.V, chroma[i+1]), append(f.U, chroma[i+2])
	}
	return f, nil
}

// Pixels is a picture from a decoder: rows of blue, green and red bytes, without padding.
type Pixels struct {
	BGR           []byte
	Width, Height int
}

// FromPixels returns a picture of these pixels. The goroutine that creates it closes it.
func FromPixels(from Pixels) (*Picture, error) {
	p := newPicture(gocv.NewMat())
	if err := p.SetPixels(from); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &p, nil
}

// SetPixels makes p a picture of other pixels.
func (p *Picture) SetPixels(from Pixels) error {
	if p.mat.Cols() != from.Width || p.mat.Rows() != from.Height {
		if err := p.mat.Close(); err != nil {
			return err
		}
		p.mat = gocv.NewMatWithSize(from.Height, from.Width, gocv.MatTypeCV8UC3)
	}
	to, err := p.mat.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("take pixels: %w", err)
	}
	if len(from.BGR) != len(to) {
		return fmt.Errorf("take pixels: %d bytes for %d by %d", len(from.BGR), from.Width, from.Height)
	}
	copy(to, from.BGR)
	return nil
}
