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

	"mindflow/pipeline/container"
)

const (
	leastRate = 20        // of a recording, pictures a second: a slower video may have bursts that are faster
	longest   = time.Hour // that one picture stands; a longer gap is a damaged time
)

// codecs of recordings, best first: H264, which browsers play, and MPEG-4 part 2, which FFmpeg always has.
var codecs = []string{"avc1", "mp4v"}

// Recording writes pictures to an MP4 file without sound. Its frame rate is constant: a picture is repeated
// until the next one is due, and left out when another falls into the same frame. The goroutine that
// begins it ends it, with Close or Discard.
type Recording struct {
	// static after construction
	path, temp string
	rate       float64 // frames a second
	size       image.Point

	writer *gocv.VideoWriter
	last   gocv.Mat // the picture of the latest frame
	frames int      // written
}

// CheckRecordable says whether a recording may have this name.
func CheckRecordable(path string) error {
	if strings.ToLower(filepath.Ext(path)) != ".mp4" {
		return fmt.Errorf("write %s: videos are written as MP4; use the extension .mp4", path)
	}
	return nil
}

// Record begins a recording of pictures of w by h pixels that come at about rate a second.
func Record(path string, rate float64, w, h int) (*Recording, error) {
	if err := CheckRecordable(path); err != nil {
		return nil, err
	}
	if least, most := 16, 16_384; min(w, h) < least || max(w, h) > most { // the encoder's limits
		return nil, fmt.Errorf("write %s: pictures of %d by %d pixels cannot be written as a video; use %d to %d a side", path, w, h, least, most)
	}
	if err := quiet(); err != nil {
		return nil, err
	}
	for rate < leastRate {
		rate *= 2
	}
	dir, name := filepath.Split(path)
	r := &Recording{path: path, temp: dir + ".part-" + name, rate: rate, size: image.Pt(w, h)}
	file, err := os.Create(r.temp) // OpenCV does not say what is wrong
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

// Add writes the picture that is shown from at on. Times never go back. A picture of another size than
// the recording's is scaled to it. When ctx ends while a picture is repeated, the recording can still be closed.
func (r *Recording) Add(ctx context.Context, p *Picture, at time.Duration) error {
	slot := int(math.Round(at.Seconds() * r.rate))
	if gap := float64(slot - r.frames); gap > longest.Seconds()*r.rate {
		return fmt.Errorf("write %s: no picture between %.1f and %.1f s; the video's times are damaged, convert it with ffmpeg first",
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

func (r *Recording) write(mat gocv.Mat) error {
	if err := r.writer.Write(mat); err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	r.frames++
	return nil
}

// Close ends the file and gives it its name, unless it turns out not to be whole, which OpenCV does not
// say while it writes. Then nothing stays.
func (r *Recording) Close() error {
	if err := r.release(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", r.path, err), os.Remove(r.temp))
	}
	if err := r.whole(); err != nil {
		return errors.Join(fmt.Errorf("write %s: it did not become whole (%w); is the disk full?", r.path, err), os.Remove(r.temp))
	}
	if err := os.Rename(r.temp, r.path); err != nil {
		return errors.Join(fmt.Errorf("write video: %w", err), os.Remove(r.temp))
	}
	return nil
}

// whole reads the file's index again and compares.
func (r *Recording) whole() error {
	missing, err := missingBytes(r.temp)
	if err != nil {
		return err
	}
	frames, err := countFrames(r.temp)
	if err != nil {
		return errors.New("it cannot be read back")
	}
	if frames != r.frames || missing > 0 {
		return fmt.Errorf("%d of %d frames are in it, %d bytes are missing", frames, r.frames, missing)
	}
	return nil
}

func missingBytes(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return container.Missing(container.ISOMedia, file, info.Size()), nil
}

// countFrames asks OpenCV what a file of our own states. Files of strangers are not for OpenCV, which trusts the
// size of the first picture to be that of all: package avfile reads them.
func countFrames(path string) (frames int, err error) {
	full, err := filepath.Abs(path) // a name such as concat:… would be a protocol to FFmpeg
	if err != nil {
		return 0, err
	}
	if err := quiet(); err != nil {
		return 0, err
	}
	capture, err := gocv.VideoCaptureFileWithAPI(full, gocv.VideoCaptureFFmpeg)
	if err == nil {
		frames = int(capture.Get(gocv.VideoCaptureFrameCount))
	}
	return frames, errors.Join(err, capture.Close())
}

// quiet keeps FFmpeg's own messages off standard error; what matters of them is in our errors. OpenCV
// looks at the variable when it opens its first video.
func quiet() error {
	const name, silence = "OPENCV_FFMPEG_LOGLEVEL", "-8"
	if _, set := os.LookupEnv(name); set {
		return nil
	}
	if err := os.Setenv(name, silence); err != nil {
		return fmt.Errorf("quieten FFmpeg: %w", err)
	}
	return nil
}

// Discard ends the recording and leaves nothing of it.
func (r *Recording) Discard() error {
	return errors.Join(r.release(), os.Remove(r.temp))
}

func (r *Recording) release() error {
	live.Add(-1)
	return errors.Join(r.writer.Close(), r.last.Close())
}
