package vision

import (
	"errors"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
)

// Frame converts the picture to a frame in Go's memory (full range, BT.601, chroma at the middle of its
// four pixels). Its luma is what OpenCV makes of the picture in grey. It is valid until the next call,
// which uses its memory again.
func (p *Picture) Frame() (*pipeline.Frame, error) {
	w, h := p.mat.Cols(), p.mat.Rows()
	from, even, grey, colour, half := p.mat, &p.steps[0], &p.steps[1], &p.steps[2], &p.steps[3]
	if w%2+h%2 > 0 { // so that all chroma samples stand for four pixels: repeat the last row and column
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

// Pixels are a picture as a decoder gives it: rows without gaps of blue, green and red bytes.
type Pixels struct {
	BGR           []byte
	Width, Height int
	Turns         int // quarter turns to the right that put it upright
}

// FromPixels makes a picture. The goroutine that makes it closes it.
func FromPixels(from Pixels) (*Picture, error) {
	p := newPicture(gocv.NewMat())
	if err := p.Take(from); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &p, nil
}

// Take makes p the picture of other pixels.
func (p *Picture) Take(from Pixels) error {
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
	if turns := from.Turns % 4; turns != 0 {
		gocv.Rotate(p.mat, &p.mat,
			[]gocv.RotateFlag{gocv.Rotate90Clockwise, gocv.Rotate180Clockwise, gocv.Rotate90CounterClockwise}[turns-1])
	}
	return nil
}
