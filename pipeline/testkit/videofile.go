package testkit

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
)

// Sources for MakeVideo. Moving has 50 pictures of 320 by 180, 25 per second; Uneven keeps 16 of them.
var (
	Moving = slices.Clip(strings.Fields("-f lavfi -i testsrc2=size=320x180:rate=25:duration=2"))
	Uneven = slices.Clip(append(Moving, "-vf", "select='not(mod(n,5))+not(mod(n,7))'", "-vsync", "vfr"))
)

// MakeVideo makes a file with ffmpeg and returns its path.
func MakeVideo(t testing.TB, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	ffmpeg(t, nil, append(slices.Clip(args), out)...)
	return out
}

// Probe returns what ffprobe prints of the video of a file: one number on each line.
func Probe(t testing.TB, file, entries string) []float64 {
	t.Helper()
	text, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", entries, "-of",
		"csv=p=0", file).Output()
	if err != nil {
		t.Fatal("ffprobe:", err)
	}
	var values []float64
	for field := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == ',' || r == '\n' }) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatalf("ffprobe says %q", field)
		}
		values = append(values, v)
	}
	return values
}

// FrameTimes reads a video to its end. It returns the times of its frames and the size of the last one.
func FrameTimes(t testing.TB, next func() (*pipeline.Frame, time.Duration, error)) (at []time.Duration, w, h int) {
	t.Helper()
	for {
		f, now, err := next()
		if errors.Is(err, io.EOF) {
			return at, w, h
		}
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, now)
		w, h = f.Width, f.Height
	}
}

// ReadFile is os.ReadFile for tests.
func ReadFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
