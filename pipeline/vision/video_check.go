package vision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gocv.io/x/gocv"

	"mindflow/pipeline/container"
)

// TryRecording writes a short video and removes it. It fails where OpenCV is built without FFmpeg.
func TryRecording() (err error) {
	const side = 64
	dir, err := os.MkdirTemp("", "mindflow-")
	if err != nil {
		return fmt.Errorf("try a recording: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := FromPixels(Pixels{BGR: make([]byte, side*side*3), Width: side, Height: side})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	r, err := Record(filepath.Join(dir, "try.mp4"), leastRate, side, side)
	if err != nil {
		return err
	}
	if err := r.Add(context.Background(), p, 0); err != nil {
		return errors.Join(err, r.Discard())
	}
	return r.Close()
}

// spaceWatch checks every few seconds how much space is left where a video is written.
type spaceWatch struct {
	dir  string                           // empty means the current one
	free func(dir string) (uint64, error) // bytes
	last time.Time
}

// check fails where there is too little space for the next seconds, and for the index of this number of frames.
func (s *spaceWatch) check(frames int) error {
	const interval, reserve, perFrame = 2 * time.Second, 1 << 20, 32
	now := time.Now()
	if now.Sub(s.last) < interval {
		return nil
	}
	s.last = now
	left, err := s.free(cmp.Or(s.dir, "."))
	if err != nil {
		return nil // opening a file there reports the error
	}
	if left < reserve+perFrame*uint64(frames) {
		return fmt.Errorf("the disk is full, %d KiB are left; free some space or name a file on another disk", left>>10)
	}
	return nil
}

// freeSpace returns the space that this user may still fill.
func freeSpace(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	blocks := fs.Bavail
	if os.Geteuid() == 0 { // who may use the reserve
		blocks = fs.Bfree
	}
	return blocks * uint64(fs.Bsize), nil
}

// checkComplete reads the file's index again and compares the number of frames.
func (r *Recording) checkComplete() error {
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

// countFrames returns the number of frames that OpenCV finds in a file of ours. Other files are not for OpenCV, which
// assumes that all pictures have the size of the first: package avfile reads them.
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

// quiet keeps FFmpeg's messages off standard error; our errors have what matters of them. OpenCV reads the variable
// when it opens its first video.
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
