package vision

import (
	"context"
	"errors"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mindflow/pipeline/avdec/avfile"
)

// copyVideo records the pictures of a video at their times.
func copyVideo(t *testing.T, from, to string) {
	t.Helper()
	v, err := avfile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var r *Recording
	for {
		f, at, err := v.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			if r, err = Record(to, v.Rate, f.Width, f.Height); err != nil {
				t.Fatal(err)
			}
		}
		bgr, w, h, err := v.BGR()
		if err != nil {
			t.Fatal(err)
		}
		p, err := FromPixels(Pixels{BGR: bgr, Width: w, Height: h})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Add(t.Context(), p, at), p.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// A recording lasts as long as the video, at a constant rate, and shows the same at the same time.
func TestRecordingKeepsTime(t *testing.T) {
	odd := []string{"-f", "lavfi", "-i", "testsrc2=size=321x181:rate=25:duration=2", "-pix_fmt", "yuv444p"}
	for name, args := range map[string][]string{
		"even.mp4": append(moving, "-c:v", "libx264"), "uneven.mp4": append(uneven, "-c:v", "libx264", "-bf", "0"),
		"odd.mp4": odd,
	} {
		t.Run(name, func(t *testing.T) {
			from, to := makeVideo(t, name, args...), filepath.Join(t.TempDir(), "copy.mp4")
			copyVideo(t, from, to)
			want, _, _ := times(t, from)
			got, _, _ := times(t, to)
			last, end := want[len(want)-1], got[len(got)-1]
			if (last - end).Abs() > 40*time.Millisecond {
				t.Errorf("the last picture is at %v, was at %v", end, last)
			}
			if length := probe(t, to, "stream=duration")[0]; math.Abs(length-end.Seconds()) > 0.06 {
				t.Errorf("it lasts %.2f s, its last picture is at %v", length, end)
			}
		})
	}
}

func TestRecordingNames(t *testing.T) {
	dir := t.TempDir()
	if _, err := Record(filepath.Join(dir, "a.avi"), 25, 64, 48); err == nil || !strings.Contains(err.Error(), ".mp4") {
		t.Errorf("an unknown extension gave %v", err)
	}
	if _, err := Record(filepath.Join(dir, "absent", "a.mp4"), 25, 64, 48); err == nil ||
		!strings.Contains(err.Error(), "absent") {
		t.Errorf("a folder that is not there gave %v", err)
	}
	for _, w := range []int{1, 40_000} {
		if _, err := Record(filepath.Join(dir, "a.mp4"), 25, w, 48); err == nil ||
			!strings.Contains(err.Error(), "cannot be written") {
			t.Errorf("a width of %d pixels gave %v", w, err)
		}
	}
	only(t, dir)
}

// Whatever ends a recording but Close leaves nothing; what was begun is never under the final name.
func TestRecordingEnds(t *testing.T) {
	p, err := Read(save(t, "a.png", 64, 48, color.RGBA{A: 255}, color.RGBA{200, 0, 0, 255}))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	other, err := Read(save(t, "b.png", 100, 30, color.RGBA{A: 255}, color.RGBA{0, 200, 0, 255}))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	dir := t.TempDir()
	begin := func() *Recording {
		r, err := Record(filepath.Join(dir, "a.mp4"), 25, 64, 48)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Add(t.Context(), p, 0); err != nil {
			t.Fatal(err)
		}
		only(t, dir, ".part-a.mp4")
		return r
	}
	r := begin()
	if err := r.Discard(); err != nil {
		t.Error(err)
	}
	only(t, dir)

	r = begin()
	if err := os.Truncate(r.temp, 0); err != nil { // as if the disk were full: the index has no place
		t.Fatal(err)
	}
	r.frames++
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), "did not become whole") {
		t.Errorf("a file that lacks a frame gave %v", err)
	}
	only(t, dir)

	r = begin()
	ended, end := context.WithCancel(t.Context())
	end()
	if err := r.Add(ended, other, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("adding after the end gave %v", err)
	}
	if err := r.Add(t.Context(), p, 3*time.Hour); err == nil || !strings.Contains(err.Error(), "times are damaged") {
		t.Errorf("a gap of three hours gave %v", err)
	}
	if err := r.Add(t.Context(), other, 80*time.Millisecond); err != nil { // another size
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	only(t, dir, "a.mp4")
	if at, w, h := times(t, filepath.Join(dir, "a.mp4")); len(at) != 3 || w != 64 || h != 48 {
		t.Errorf("%d frames of %dx%d", len(at), w, h)
	}
}

// A disk that fills is noticed while it does, not at the end.
func TestRecordingOnAFullDisk(t *testing.T) {
	p, err := Read(save(t, "a.png", 64, 48, color.RGBA{A: 255}, color.RGBA{200, 0, 0, 255}))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	dir := t.TempDir()
	r, err := Record(filepath.Join(dir, "a.mp4"), 25, 64, 48)
	if err != nil {
		t.Fatal(err)
	}
	left := uint64(2 << 20)
	r.space.free = func(where string) (uint64, error) {
		if filepath.Clean(where) != dir {
			t.Errorf("looked at %q", where)
		}
		return left, nil
	}
	for i := range 3 {
		r.space.last = time.Time{} // as if some seconds had passed
		if err := r.Add(t.Context(), p, time.Duration(i)*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	left = 200 << 10
	if err := r.Add(t.Context(), p, 3*time.Second); err != nil {
		t.Errorf("it looks too often: %v", err)
	}
	r.space.last = time.Time{}
	if err := r.Add(t.Context(), p, 4*time.Second); err == nil ||
		!strings.Contains(err.Error(), "the disk is full, 200 KiB are left") {
		t.Errorf("on a full disk: %v", err)
	}
	if err := r.Discard(); err != nil {
		t.Error(err)
	}
	only(t, dir)
}

// The same on a disk of two MiB, where we may make one.
func TestRecordingOnASmallDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("no disk of our own:", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	r, err := Record(filepath.Join(dir, "a.mp4"), 25, 640, 360)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "others"), make([]byte, 3<<19), 0o600); err != nil {
		t.Fatal(err)
	}
	r.space.last = time.Time{}
	p, err := Read(save(t, "a.png", 640, 360, color.RGBA{A: 255}, color.RGBA{200, 0, 0, 255}))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := r.Add(t.Context(), p, 0); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("on a full disk: %v", err)
	}
	if err := r.Discard(); err != nil {
		t.Error(err)
	}
	if r, err := Record(filepath.Join(dir, "b.mp4"), 25, 640, 360); err == nil ||
		!strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("begun on a full disk: %v, %v", r, err)
	}
	only(t, dir, "others")
}

// only holds the folder to the named files.
func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}
