package vision

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocv.io/x/gocv"
)

const (
	leastRate = 20        // frames per second of a recording: a slower video may have faster bursts
	longest   = time.Hour // that one picture is shown; a longer gap is a damaged time
)

// codecs lists the codecs of recordings, best first: H264, which browsers play, and MPEG-4 part 2, which FFmpeg
// always has.
var codecs = []string{"avc1", "mp4v"}

// Recording writes pictures to an MP4 file without sound. Its frame rate is constant: a picture is repeated until the
// next one is due, and dropped where another falls into the same frame. The goroutine that starts it ends it, with
// Close or Discard.
type Recording struct {
	// static after construction
	path, temp string
	rate       float64 // frames a second
	size       image.Point

	writer *gocv.VideoWriter
	last   gocv.Mat // the picture of the latest frame
	frames int      // written
	space  spaceWatch
}

// CheckRecordable returns an error unless a recording may have this name.
func CheckRecordable(path string) error {
	if strings.ToLower(filepath.Ext(path)) != ".mp4" {
		return fmt.Errorf("write %s: videos are written as MP4; use the extension .mp4", path)
	}
	return nil
}

// Record starts a recording of pictures of w by h pixels, at about rate pictures per second.
func Record(path string, rate float64, w, h int) (*Recording, error) {
	if err := CheckRecordable(path); err != nil {
		return nil, err
	}
	if least, most := 16, 16_384; min(w, h) < least || max(w, h) > most { // the encoder's limits
		return nil, fmt.Errorf("write %s: pictures of %d by %d pixels cannot be written as a video; use %d to %d a "+
			"side", path, w, h, least, most)
	}
	if err := quiet(); err != nil {
		return nil, err
	}
	for rate < leastRate {
		rate *= 2
	}
	dir, name := filepath.Split(path)
	r := &Recording{path: path, temp: dir + ".part-" + name, rate: rate, size: image.Pt(w, h)}
	r.space = spaceWatch{dir: dir, free: freeSpace}
	if err := r.space.check(0); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	file, err := os.Create(r.temp) // OpenCV does not report the cause
	if err != nil {
		return nil, fmt.Errorf("write %s: %w; name a file in a folder that can be written", path, err)
	}
	if err := file.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(r.temp))
	}
	for _, codec := range codecs {
		if r.writer, err = gocv.VideoWriterFile(r.temp, codec, rate, w, h, true); err != nil {
			return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(r.temp))
		}
		if r.writer.IsOpened() {
			r.last = gocv.NewMat()
			live.Add(1)
			return r, nil
		}
		if err := r.writer.Close(); err != nil {
			return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(r.temp))
		}
	}
	return nil, errors.Join(fmt.Errorf("write %s: OpenCV has no encoder that takes %d by %d pixels at %.3g a second",
		path, w, h, rate), os.Remove(r.temp))
}

// Add writes the picture that is shown from at on. Times never decrease. A picture of another size is scaled. If ctx
// ends while a picture is repeated, the recording can still be closed.
func (r *Recording) Add(ctx context.Context, p *Picture, at time.Duration) error {
	slot := int(math.Round(at.Seconds() * r.rate))
	if gap := float64(slot - r.frames); gap > longest.Seconds()*r.rate {
		return fmt.Errorf("write %s: no picture between %.1f and %.1f s; the video's times are damaged, convert it "+
			"with ffmpeg first",
			r.path, float64(r.frames)/r.rate, at.Seconds())
	}
	for r.frames > 0 && r.frames < slot {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.write(r.last); err != nil {
			return err
		}
	}
	if p.mat.Cols() == r.size.X && p.mat.Rows() == r.size.Y {
		p.mat.CopyTo(&r.last)
	} else {
		gocv.Resize(p.mat, &r.last, r.size, 0, 0, gocv.InterpolationArea)
	}
	if r.frames > slot {
		return nil
	}
	return r.write(r.last)
}

// write writes a frame, and checks the space from time to time, since OpenCV does not report a full disk.
func (r *Recording) write(mat gocv.Mat) error {
	if err := r.space.check(r.frames); err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	if err := r.writer.Write(mat); err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	r.frames++
	return nil
}

// Close ends the file and gives it its name. Where the file is not complete, which OpenCV does not report while it
// writes, Close removes it and fails.
func (r *Recording) Close() error {
	if err := r.release(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", r.path, err), os.Remove(r.temp))
	}
	if err := r.checkComplete(); err != nil {
		return errors.Join(fmt.Errorf("write %s: it did not become whole (%w); is the disk full?", r.path, err),
			os.Remove(r.temp))
	}
	if err := os.Rename(r.temp, r.path); err != nil {
		return errors.Join(fmt.Errorf("write video: %w", err), os.Remove(r.temp))
	}
	return nil
}

// Discard ends the recording and removes its file.
func (r *Recording) Discard() error {
	return errors.Join(r.release(), os.Remove(r.temp))
}

func (r *Recording) release() error {
	live.Add(-1)
	return errors.Join(r.writer.Close(), r.last.Close())
}
