package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/camera"
)

// TestCameras: a camera without permission is a warning with a cure. No camera is fine.
func TestCameras(t *testing.T) {
	if r := cameras(nil); r.Status != OK || !strings.Contains(r.Detail, "none") || !strings.Contains(r.Detail,
		"--synthetic") {
		t.Errorf("no device: %+v", r)
	}
	path := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	there, gone := camera.Device{Name: "A Camera", Path: path}, camera.Device{Name: "Another", Path: path + "1"}
	if r := cameras([]camera.Device{there}); r.Status != OK || r.Detail != path+" (A Camera)" {
		t.Errorf("a device: %+v", r)
	}
	if r := cameras([]camera.Device{there, gone}); r.Status != Warning || !strings.Contains(r.Detail,
		path+"1 (Another)") || !strings.Contains(r.Cure, "group") {
		t.Errorf("a device that cannot be opened: %+v", r)
	}
}

func TestFailedTakesTheCure(t *testing.T) {
	cases := []struct{ text, detail, cure string }{
		{"the file is missing; fetch it", "the file is missing", "fetch it"},
		{"a; b; fetch it", "a; b", "fetch it"},
		{"no hint", "no hint", "otherwise"},
		{"two\nlines", "two, lines", "otherwise"},
	}
	for _, c := range cases {
		got := failed("check", errors.New(c.text), "otherwise")
		if want := (Result{"check", Failure, c.detail, c.cure}); got != want {
			t.Errorf("%q: %+v, want %+v", c.text, got, want)
		}
	}
}

// TestDecodersSeeDamage: the check of a decoder fails for damaged pictures, so it does check decoding.
func TestDecodersSeeDamage(t *testing.T) {
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.VP9, pipeline.H264, pipeline.AV1} {
		grey, err := avdec.Grey(codec)
		if err != nil {
			t.Fatal(err)
		}
		if err := try(codec, nil, 256*256); err != nil {
			t.Errorf("%s: %v", codec, err)
		}
		for _, unit := range [][]byte{grey[:len(grey)/2], make([]byte, 40), {}} {
			if err := try(codec, unit, 256*256); err == nil {
				t.Errorf("%s: %x decoded", codec, unit)
			}
		}
	}
}

// TestEncodersAreTried: the checks use the encoder and the writer of videos.
func TestEncodersAreTried(t *testing.T) {
	if r := encoder(); r.Status != OK || !strings.Contains(r.Detail, "encodes a test picture") {
		t.Errorf("%+v", r)
	}
	if r := openCV(); r.Status != OK || !strings.Contains(r.Detail, "writes a test video") {
		t.Errorf("%+v", r)
	}
	t.Setenv("TMPDIR", "/nowhere")
	if r := openCV(); r.Status != Warning || !strings.Contains(r.Cure, "--annotate") || strings.Contains(r.Detail,
		"\n") {
		t.Errorf("with nowhere to write: %+v", r)
	}
}

func TestExamineEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	results := 0
	s := settings.ServeFlags(settings.NewFlags("doctor"))
	s.Server.Listen, s.Server.Media, s.MaxPixels = "127.0.0.1:0", "127.0.0.1:0", 4096
	err := examine(ctx, s, func(Result) {
		results++
		stop()
	})
	if !errors.Is(err, context.Canceled) || results != 1 {
		t.Errorf("%v after %d results", err, results)
	}
}

func TestPortTaken(t *testing.T) {
	for err, cure := range map[error]string{syscall.EADDRINUSE: "stop the program", syscall.EACCES: "above 1023",
		syscall.EINVAL: "host:port"} {
		r := portTaken("HTTP port", "127.0.0.1:80", "--listen", os.NewSyscallError("bind", err))
		if r.Status != Failure || !strings.Contains(r.Detail, "127.0.0.1:80") || !strings.Contains(r.Cure, cure) ||
			!strings.Contains(r.Cure, "--listen") {
			t.Errorf("%v: %+v", err, r)
		}
	}
}

func TestPrintResult(t *testing.T) {
	var out strings.Builder
	err := printResult(&out, Result{Check: "c", Status: Failure, Detail: "d"}, true)
	if err != nil || !strings.HasPrefix(out.String(), "\x1b[31mfailure\x1b[0m  c ") {
		t.Errorf("%q, %v", out.String(), err)
	}
}
