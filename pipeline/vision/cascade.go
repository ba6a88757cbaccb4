package vision

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"runtime"
	"slices"

	"gocv.io/x/gocv"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
)

// Cascade is OpenCV's cascade of Haar features (Viola and Jones, 2001). It implements pipeline.Detector. Its faces
// have a score of 1 and no key points, and come largest first.
type Cascade struct {
	rule pipeline.CascadeRule
	pool *schedule.Pool[search]
}

var _ pipeline.Detector = (*Cascade)(nil)

// search is the memory of one call: OpenCV's classifier keeps a picture's integral while it searches.
type search struct {
	classifier gocv.CascadeClassifier
	loaded     bool
	grey       gocv.Mat
}

// OpenCascade loads the XML file at path, which m describes. The result is a *Cascade; the signature is that of
// engine.CascadeOpener.
func OpenCascade(path string, m pipeline.Model) (pipeline.DetectorCloser, error) {
	if m.Decoder != "haar" || m.Cascade == nil {
		return nil, fmt.Errorf(`manifest entry %q: decoder: is %q, want "haar" with the parameters of cascade`, m.Name,
			m.Decoder)
	}
	if err := checkCascade(path); err != nil {
		return nil, err
	}
	create := func() *search {
		s := &search{classifier: gocv.NewCascadeClassifier(), grey: gocv.NewMat()}
		live.Add(1)
		s.loaded = s.classifier.Load(path)
		return s
	}
	c := &Cascade{*m.Cascade, schedule.NewPool(runtime.GOMAXPROCS(0), create, (*search).close)}
	if _, err := c.Detect(context.Background(), nil,
		&pipeline.Frame{Width: 1, Height: 1, Y: []byte{0}, YStride: 1}); err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", path, err), c.Close())
	}
	return c, nil
}

// checkCascade refuses files at which OpenCV would end the process: broken XML, or other content.
func checkCascade(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("load cascade: %w", err)
	}
	defer file.Close()
	var storage struct {
		XMLName xml.Name `xml:"opencv_storage"`
		Cascade struct {
			Type string `xml:"type_id,attr"`
		} `xml:"cascade"`
	}
	if err := xml.NewDecoder(file).Decode(&storage); err != nil {
		return fmt.Errorf("load %s: not a cascade of OpenCV: %w", path, err)
	}
	if storage.Cascade.Type != "opencv-cascade-classifier" {
		return fmt.Errorf("load %s: not a cascade of OpenCV: it holds no opencv-cascade-classifier", path)
	}
	return nil
}

// Detect finds faces. It reads the frame during the call only. At most as many calls as there are processors run at
// once; others wait until ctx ends.
func (c *Cascade) Detect(ctx context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	s, err := c.pool.Acquire(ctx)
	if err != nil {
		return dst, err
	}
	defer c.pool.Release(s)
	if !s.loaded {
		return dst, errors.New("OpenCV cannot read the cascade")
	}
	if err := s.setGrey(f); err != nil {
		return dst, err
	}
	least := image.Pt(c.rule.MinPx, c.rule.MinPx)
	found := s.classifier.DetectMultiScaleWithParams(s.grey, c.rule.Scale, c.rule.Neighbours, 0, least, image.Point{})
	slices.SortFunc(found, func(a, b image.Rectangle) int { // OpenCV's order depends on its threads
		return cmp.Or(cmp.Compare(b.Dx(), a.Dx()), cmp.Compare(a.Min.X, b.Min.X), cmp.Compare(a.Min.Y, b.Min.Y))
	})
	w, h := float32(f.Width), float32(f.Height)
	for _, r := range found {
		box := pipeline.Box{X: float32(r.Min.X) / w, Y: float32(r.Min.Y) / h, W: float32(r.Dx()) / w,
			H: float32(r.Dy()) / h}
		dst = append(dst, pipeline.Face{Box: box, Score: 1})
	}
	return dst, nil
}

// setGrey copies f's luma, in full range like OpenCV's grey pictures.
func (s *search) setGrey(f *pipeline.Frame) error {
	if s.grey.Cols() != f.Width || s.grey.Rows() != f.Height {
		if err := s.grey.Close(); err != nil {
			return err
		}
		s.grey = gocv.NewMatWithSize(f.Height, f.Width, gocv.MatTypeCV8UC1)
	}
	pixels, err := s.grey.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("copy luma: %w", err)
	}
	for y := range f.Height {
		in, out := f.Y[y*f.YStride:y*f.YStride+f.Width], pixels[y*f.Width:(y+1)*f.Width]
		if f.FullRange {
			copy(out, in)
			continue
		}
		for x, v := range in {
			out[x] = fullRange[v]
		}
	}
	return nil
}

// fullRange stretches luma of 16..235 to 0..255.
var fullRange = func() (table [256]byte) {
	for v := range table {
		table[v] = byte(max(0, min(math.Round(float64(v-16)*255/219), 255)))
	}
	return table
}()

func (s *search) close() error {
	live.Add(-1)
	return errors.Join(s.classifier.Close(), s.grey.Close())
}

// Close waits for calls that run and frees OpenCV's memory. Later calls fail.
func (c *Cascade) Close() error { return c.pool.Close(func() error { return nil }) }
