package media

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

// TestCameraOfTheNetwork: a network camera is analysed here and published. When its stream ends it is opened again.
// Notices repeat neither the name nor the password.
func TestCameraOfTheNetwork(t *testing.T) {
	clip := testkit.MakeVideo(t, "clip.ts", "-i", testkit.Clip(t), "-t", "2", "-c:v", "libx264", "-tune", "zerolatency",
		"-g", "12")
	source := testkit.NewRTSPCamera(t, testkit.ReadFile(t, clip), 2*time.Second, "admin:secret")
	for _, publishing := range []bool{false, true} {
		args := []string{"--input", "rtsp://admin:secret@" + source.Address + "/cam?secret"}
		if publishing {
			listen := clitest.FreePort(t)
			stop := hosting(t, listen)
			defer stop()
			args = append(args, "--publish", "http://"+listen)
		}
		said := watchTwice(t, source, args)
		for _, want := range []string{"the camera is lost: read rtsp://" + source.Address + ": the stream ended",
			"the camera is back"} {
			if !strings.Contains(said, want) {
				t.Errorf("said %q, want %q in it", said, want)
			}
		}
		if strings.Contains(said, "secret") || strings.Contains(said, "admin") {
			t.Errorf("said the password: %q", said)
		}
	}
}

// watchTwice reads labels until the camera was opened a second time and gave labels again. It returns the notices.
func watchTwice(t *testing.T, source *testkit.RTSPCamera, args []string) string {
	t.Helper()
	l := label(t, args)
	before, since := source.Connections(), 0
	for scan := bufio.NewScanner(l.out); scan.Scan(); {
		m := lines(t, scan.Text()+"\n")[0]
		if m.Width != 640 || m.Height != 360 {
			t.Fatalf("%+v", m)
		}
		if source.Connections() > before+1 && len(m.Faces) == 1 {
			since++
		}
		if since == 10 {
			l.end()
		}
	}
	if err := <-l.done; !errors.Is(err, context.Canceled) || since < 10 {
		t.Errorf("it ended with %v, %d labels after the first connection", err, since)
	}
	return l.notices.String()
}

// TestCameraRefusesAddresses: what cannot be opened is an error with a cure, without the password.
func TestCameraRefusesAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"rtsp://admin:se/cret@" + clitest.FreePort(t) + "/": "%2F for /",
		"rtsp://admin:secret@" + clitest.FreePort(t) + "/":  "Connection refused",
		"rtmp://admin:secret@" + clitest.FreePort(t) + "/":  "rtsp, http and https",
	} {
		text, err := cameraLines(t, 1, "--input", address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+text, "cret") ||
			strings.Contains(err.Error(), "admin") {
			t.Errorf("%q, %v, want %q", text, err, want)
		}
	}
}
