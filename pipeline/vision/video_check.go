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

// TryRecording writes a short video and removes it: OpenCV need not have been built with FFmpeg.
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

// spaceWatch looks every few seconds how much space is left where a video is written.
type spaceWatch struct {
	dir  string                           // "" is the current one
	free func(dir string) (uint64, error) // bytes
	last time.Time
}

// check fails when there is too little space for what is on its way, and for the index of so many frames at the end.
func (s *spaceWatch) check(frames int) error {
	const interval, reserve, perFrame = 2 * time.Second, 1 << 20, 32
	now := time.Now()
	if now.Sub(s.last) < interval {
		return nil
	}
	s.last = now
	left, err := s.free(cmp.Or(s.dir, "."))
	if err != nil {
		return nil // whoever opens a file there says what is wrong
	}
	if left < reserve+perFrame*uint64(frames) {
		return fmt.Errorf("the disk is full, %d KiB are left; free some space or name a file on another disk", left>>10)
	}
	return nil
}

// freeSpace is what we may still fill.
func freeSpace(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	blocks := fs.Bavail
	if os.Geteuid() == 0 { // to whom the reserve belongs
		blocks = fs.Bfree
	}
	return blocks * uint64(fs.Bsize), nil
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
