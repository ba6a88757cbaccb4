package vision

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"gocv.io/x/gocv"
)

// Video reads the pictures of a video file in the order they are shown, turned upright as the file says,
// without its sound. The goroutine that opens it closes it.
type Video struct {
	// static after construction
	Rate    float64 // nominal frames a second; true times may differ
	Frames  int     // as the file states or its length suggests; 0 is unknown
	Missing int64   // bytes by which the file is shorter than its container states
	path    string
	turned  bool // what OpenCV gives stands on its head

	capture *gocv.VideoCapture
	picture Picture
	read    int
	at      time.Duration // of the latest picture
}

// OpenVideo opens MP4, MOV, Matroska, WebM, AVI, MPEG, Ogg, FLV, WMV, GIF and Y4M files in what codecs
// OpenCV's FFmpeg has.
func OpenVideo(path string) (*Video, error) {
	kind, missing, err := checkVideo(path)
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path) // a name such as concat:… would be a protocol to FFmpeg
	if err != nil {
		return nil, fmt.Errorf("read video: %w", err)
	}
	if err := quiet(); err != nil {
		return nil, err
	}
	capture, err := gocv.VideoCaptureFileWithAPI(full, gocv.VideoCaptureFFmpeg)
	if err != nil {
		return nil, errors.Join(cannotOpen(path, kind, missing), capture.Close())
	}
	v := &Video{path: path, Missing: missing, capture: capture, picture: newPicture(gocv.NewMat())}
	live.Add(1)
	w, h := capture.Get(gocv.VideoCaptureFrameWidth), capture.Get(gocv.VideoCaptureFrameHeight)
	if w < 1 || h < 1 || w*h > MaxPixels {
		return nil, errors.Join(fmt.Errorf("read %s: pictures of %.0f by %.0f pixels; use 1 to %d million",
			path, w, h, MaxPixels/1_000_000), v.Close())
	}
	v.turned = upsideDown(capture)
	v.Rate = capture.Get(gocv.VideoCaptureFPS)
	if !(v.Rate >= 0.01 && v.Rate <= 240) { // WebM of a browser says 1000: its clock, not its rate
		v.Rate = 30
	}
	if n := capture.Get(gocv.VideoCaptureFrameCount); n >= 1 && n < math.MaxInt32 {
		v.Frames = int(n)
	}
	return v, nil
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

// checkVideo finds out, without FFmpeg, what a user can mend, and keeps from FFmpeg what is no video.
func checkVideo(path string) (kind container, missing int64, err error) {
	info, err := os.Stat(path) // before opening, which waits for a writer when it is a pipe
	if err != nil {
		return unknown, 0, fmt.Errorf("read video: %w", err)
	}
	switch {
	case info.IsDir():
		return unknown, 0, fmt.Errorf("read %s: it is a folder; name the video files in it", path)
	case !info.Mode().IsRegular():
		return unknown, 0, fmt.Errorf("read %s: not a regular file; save the video to a file first", path)
	case info.Size() == 0:
		return unknown, 0, fmt.Errorf("read %s: the file is empty; copy or record it again", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return unknown, 0, fmt.Errorf("read video: %w", err)
	}
	defer file.Close()
	head := make([]byte, 256)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return unknown, 0, fmt.Errorf("read %s: %w", path, err)
	}
	switch kind = containerOf(head[:n]); kind {
	case sound:
		return kind, 0, fmt.Errorf("read %s: it holds sound only; name a file with a video track", path)
	case unknown:
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return kind, 0, fmt.Errorf("read %s: %w", path, err)
		}
		if _, _, err := image.DecodeConfig(file); err == nil {
			return kind, 0, fmt.Errorf("read %s: it is a picture; use mindflow image", path)
		}
		return kind, 0, fmt.Errorf("read %s: not a video of a known format; use %s", path, knownContainers)
	}
	return kind, missingBytes(kind, file, info.Size()), nil
}

func cannotOpen(path string, kind container, missing int64) error {
	if missing > 0 {
		return fmt.Errorf("read %s: the file is cut short, %d bytes are missing, and nothing can be read without them; "+
			"copy or record it again", path, missing)
	}
	return fmt.Errorf("read %s: no video track that can be decoded: it may hold sound only, be damaged or use a rare codec; "+
		"convert it with ffmpeg -i FILE -c:v libx264 OUT.mp4", path)
}

// upsideDown says whether OpenCV turns the pictures the wrong way: version 4.6.0 mistakes a quarter turn to
// the left for one to the right (opencv/opencv#22088).
func upsideDown(capture *gocv.VideoCapture) bool {
	const orientation = gocv.VideoCaptureProperties(48) // CAP_PROP_ORIENTATION_META, degrees; gocv has no name for it
	turn := capture.Get(orientation)
	return gocv.OpenCVVersion() == "4.6.0" && (turn == 90 || turn == 270)
}

// Next gives the next picture and its time in the video. A picture whose time is not known follows the one
// before at the nominal rate: of a bare stream all, of others at most the last few, when they were coded out
// of order. The picture is lent until the next call. io.EOF marks the end, also of a file that is cut short: see Missing.
func (v *Video) Next() (*Picture, time.Duration, error) {
	ok := v.capture.Read(&v.picture.mat)
	switch {
	case !ok && v.read == 0:
		return nil, 0, fmt.Errorf("read %s: no picture in it can be decoded; the file is damaged or its codec is unknown", v.path)
	case !ok:
		return nil, 0, io.EOF
	}
	mat := &v.picture.mat
	if mat.Empty() || mat.Type() != gocv.MatTypeCV8UC3 || mat.Cols() > MaxPixels/mat.Rows() {
		return nil, 0, fmt.Errorf("read %s: picture %d is of no kind that can be used", v.path, v.read)
	}
	if v.turned {
		gocv.Rotate(*mat, mat, gocv.Rotate180Clockwise)
	}
	at := time.Duration(math.Round(v.capture.Get(gocv.VideoCapturePosMsec)*1000)) * time.Microsecond
	switch {
	case v.read == 0:
		at = max(0, at) // OpenCV takes the first picture's decoding time, which may lie before 0
	case at <= v.at: // a bare stream has no times, and OpenCV 4.6 none for what a decoder held back to the end
		at = v.at + time.Duration(float64(time.Second)/v.Rate)
	}
	v.read, v.at = v.read+1, at
	return &v.picture, at, nil
}

// Close frees OpenCV's memory. Call it once.
func (v *Video) Close() error {
	live.Add(-1)
	return errors.Join(v.capture.Close(), v.picture.Close())
}
