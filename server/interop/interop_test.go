// Package interop has other publishers talk to the real server: aiortc and GStreamer, as Debian packages them, and
// FFmpeg's muxer, which PyPI has. make test installs the first two; the third is skipped where PyPI is not reached.
package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

const (
	debian   = "/usr/bin/python3" // Debian's: its packages are for this one alone
	patience = 3 * time.Minute
)

// report is what a publisher printed of the server's messages.
type report struct {
	labels   []pipeline.Message
	controls []control
}

type control struct {
	Type   string `json:"type"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

func TestAiortc(t *testing.T) {
	needs(t, "python3-aiortc", "import aiortc")
	clip := excerpt(t)
	url := serve(t)
	for _, row := range []struct {
		args     []string
		controls []string // "type code", in order
	}{
		{[]string{"--codec", "VP8"}, []string{"hello ", "bye deleted"}},
		{[]string{"--codec", "H264"}, []string{"hello ", "bye deleted"}},
		{[]string{"--codec", "VP8", "--channels"}, []string{"hello ", "bye deleted"}},
		{[]string{"--codec", "H264", "--channels", "--rubbish", "40000"},
			[]string{"hello ", "error too-large", "bye deleted"}},
		// never arrives whole
		{[]string{"--codec", "VP8", "--channels", "--rubbish", "300000"}, []string{"hello ", "bye deleted"}},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			check(t, publish(t, debian, "publish_aiortc.py", append([]string{url, clip}, row.args...)...), row.controls)
		})
	}
}

func TestGStreamer(t *testing.T) {
	needs(
		t,
		"python3-gi, gir1.2-gst-plugins-bad-1.0, gstreamer1.0-nice and gstreamer1.0-plugins-{base,good,bad,ugly}",
		`
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstWebRTC
Gst.init(None)
wanted = "decodebin vp8enc x264enc rtph264pay nicesrc webrtcbin openh264dec".split()
missing = [e for e in wanted if not Gst.ElementFactory.find(e)]
assert not missing, missing`,
	)
	clip := excerpt(t)
	url := serve(t)
	for _, args := range [][]string{{"--codec", "VP8"}, {"--codec", "H264"}, {"--policy", "max-bundle"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			report := publish(t, debian, "publish_gstreamer.py", append([]string{url, clip}, args...)...)
			check(t, report, []string{"hello ", "bye deleted"})
		})
	}
}

func TestFFmpeg(t *testing.T) {
	python := pyav(t)
	clip := excerpt(t)
	url := serve(t)
	refused := publish(t, python, "publish_ffmpeg.py", url, clip)
	if len(refused.controls) != 1 || refused.controls[0].Code != "422" ||
		!strings.Contains(refused.controls[0].Reason, "-whip_flags dtls_active") {
		t.Errorf("with the muxer's own options: %+v", refused)
	}
	report := publish(t, python, "publish_ffmpeg.py", url, clip, "--option", "whip_flags=dtls_active")
	check(t, report, []string{"hello ", "bye deleted"})
}

// pyav returns a Python that has FFmpeg's libraries, from a folder that later runs find again.
func pyav(t *testing.T) string {
	t.Helper()
	const release = "av==18.1.0" // FFmpeg 8.1
	folder := filepath.Join(testkit.Root(), ".cache", "pyav")
	python := filepath.Join(folder, "bin", "python")
	if exec.Command(python, "-c", "import av").Run() == nil {
		return python
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, args := range [][]string{{"python3", "-m", "venv", folder},
		{python, "-m", "pip", "install", "-q", "--only-binary", ":all:", release}} {
		if text, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("needs PyPI's %s and Debian's python3-venv: %v: %s", release, err, text)
		}
	}
	return python
}

// check wants labels of the clip's face, in order, and the given control messages.
func check(t *testing.T, r report, controls []string) {
	t.Helper()
	if len(r.labels) < 10 {
		t.Fatalf("%d label messages", len(r.labels))
	}
	faces := 0
	for i, m := range r.labels {
		if m.Width != 640 || m.Height != 360 {
			t.Fatalf("message %d is of %dx%d", i, m.Width, m.Height)
		}
		if i > 0 && (m.Seq <= r.labels[i-1].Seq || m.RTP-r.labels[i-1].RTP > 1<<31) {
			t.Errorf("message %d at %d follows %d at %d", m.Seq, m.RTP, r.labels[i-1].Seq, r.labels[i-1].RTP)
		}
		if len(m.Faces) > 0 && len(m.Faces[0].Scores) == 8 {
			faces++
		}
	}
	if faces*10 < len(r.labels)*9 {
		t.Errorf("%d of %d messages have a face", faces, len(r.labels))
	}
	var got []string
	for _, c := range r.controls {
		if c.Type == "hint" { // as many as the machine's load makes; publishers that are no pages ignore them
			continue
		}
		got = append(got, c.Type+" "+c.Code+c.Reason)
	}
	if fmt.Sprint(got) != fmt.Sprint(controls) {
		t.Errorf("control messages %q, want %q", got, controls)
	}
}

// needs skips the test when Debian's python cannot run the statements.
func needs(t *testing.T, packages, statements string) {
	t.Helper()
	if text, err := exec.Command(debian, "-c", statements).CombinedOutput(); err != nil {
		t.Skipf("needs Debian's %s, which make test installs: %s", packages, text)
	}
}

// excerpt is the first seconds of the test clip.
func excerpt(t *testing.T) string {
	t.Helper()
	clip := testkit.Clip(t)
	out := filepath.Join(t.TempDir(), "excerpt.mp4")
	if text, err := exec.Command("ffmpeg", "-v", "error", "-i", clip, "-t", "4", "-an", "-c", "copy",
		out).CombinedOutput(); err != nil {
		t.Fatalf("cut the clip: %v: %s", err, text)
	}
	return out
}

// serve starts the real server and gives the URL to publish to. The test fails when the server does
// not end in an orderly way.
func serve(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(testkit.Root(), "bin")
	library := filepath.Join(bin, "lib", "libonnxruntime.so.1")
	if _, err := os.Stat(library); err != nil {
		t.Skip("run make build first:", err)
	}
	exe := filepath.Join(t.TempDir(), "mindflow")
	if text, err := exec.Command("go", "build", "-o", exe, "mindflow/cmd/mindflow").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, text)
	}
	address := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	// aiortc has no loopback candidates, so the server listens on every interface.
	server := exec.Command(
		exe,
		"serve",
		"--listen",
		address,
		"--media",
		":0",
		"--models",
		filepath.Join(bin, "models"),
		"--ort-lib",
		library,
	)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil || strings.Contains(log.String(), "panic") {
			t.Errorf("the server ended with %v: %s", err, log.String())
		}
	})
	ready(t, "http://"+address+"/readyz")
	return "http://" + address + "/whip"
}

func ready(t *testing.T, url string) {
	t.Helper()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-retry.C {
		if res, err := http.Get(url); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatalf("the server did not come up within %s", patience)
}

// publish runs a publisher to its end.
func publish(t *testing.T, python, script string, args ...string) (r report) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, append([]string{"-B", script}, args...)...) // -B: leave no __pycache__
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, stderr.String())
	}
	for line := range bytes.Lines(out) {
		var c control
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if c.Type != "" {
			r.controls = append(r.controls, c)
			continue
		}
		var m pipeline.Message
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		r.labels = append(r.labels, m)
	}
	return r
}
