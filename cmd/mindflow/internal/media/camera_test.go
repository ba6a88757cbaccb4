package media

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/cmd/mindflow/internal/serve"
	"mindflow/pipeline/testkit"
)

// cameraLines runs `mindflow camera` until it has printed n lines, and returns them and the error.
func cameraLines(t *testing.T, n int, args ...string) (text string, err error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), clitest.Patience)
	defer stop()
	out, in := io.Pipe()
	done := make(chan error, 1)
	args = slices.Concat(args, clitest.EngineArgs(t))
	go func() {
		err := Camera().Execute(ctx, args, nil, in)
		in.Close()
		done <- err
	}()
	scan := bufio.NewScanner(out)
	for i := 1; scan.Scan(); i++ {
		text += scan.Text() + "\n"
		if i == n {
			stop()
			break
		}
	}
	if _, err := io.Copy(io.Discard, out); err != nil { // it may print on until it sees the interruption
		t.Error(err)
	}
	return text, <-done
}

// TestCameraSynthetic: an interrupt ends a camera without an error.
func TestCameraSynthetic(t *testing.T) {
	clitest.NoLeaks(t)
	text, err := cameraLines(t, 5, "--synthetic", "--json", "--size", "320x240", "--rate", "15")
	got := lines(t, text)
	if err != nil || len(got) != 5 {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	for i, m := range got {
		frame := m.T * 15
		if m.V != 1 || m.Seq != uint64(i+1) || m.Width != 320 || m.Height != 240 ||
			math.Abs(frame-math.Round(frame)) > 0.01 ||
			len(m.Faces) != 1 || m.Dropped == nil || m.MS.Detect <= 0 || i > 0 && m.T <= got[i-1].T {
			t.Errorf("line %d: %+v", i, m)
		}
	}
	text, err = cameraLines(t, 1, "--synthetic")
	if err != nil || strings.Contains(text, "\x1b") || !strings.HasPrefix(text, "   0.0 s  ") ||
		!strings.HasSuffix(text, "%\n") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestCameraInputAgreesWithVideo: for each analysed frame of a clip the faces and scores are those of `video`.
func TestCameraInputAgreesWithVideo(t *testing.T) {
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", testkit.Clip(t), "-t", "2", "-c:v", "libx264")
	reference, err := video(t, append([]string{clip, "--json", "--smoothing", "0s"}, everyFrame...)...)
	if err != nil {
		t.Fatal(err)
	}
	want := lines(t, reference)
	clitest.NoLeaks(t)
	text, err := cameraLines(t, -1, append([]string{"--input", clip, "--json", "--smoothing", "0s"}, everyFrame...)...)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, text)
	faces, dropped := 0, uint64(0)
	for _, m := range got {
		i := slices.IndexFunc(want, func(w videoMessage) bool { return math.Abs(w.T-m.T) < 1e-4 })
		if i < 0 || len(m.Faces) != len(want[i].Faces) {
			t.Fatalf("%+v is not as `video` says", m)
		}
		dropped = m.Dropped["stale"]
		for j, face := range m.Faces {
			faces++
			if w := want[i].Faces[j]; box(face).IoU(box(w)) < 0.999 || far(face.Scores, w.Scores) > 0.001 {
				t.Errorf("at %v s: %+v, want %+v", m.T, face, w)
			}
		}
	}
	if len(got) == 0 || len(want) == 0 {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	last, wantLast := got[len(got)-1].T, want[len(want)-1].T
	if faces == 0 || len(got)+int(dropped) != len(want) || last != wantLast {
		t.Errorf("%d lines with %d faces, %d frames dropped, of %d; the last is of %v s, want %v", len(got), faces,
			dropped, len(want), last, wantLast)
	}
	t.Logf("%d of %d frames analysed, %d faces", len(got), len(want), faces)
}

// far returns the largest difference.
func far(a, b []float32) (most float64) {
	for i := range a {
		most = max(most, math.Abs(float64(a[i]-b[i])))
	}
	return most
}

func TestCameraInputInterrupted(t *testing.T) {
	clitest.NoLeaks(t)
	clip := testkit.MakeVideo(t, "clip.mp4", "-f", "lavfi", "-i", "color=gray:size=320x180:rate=25:duration=60",
		"-c:v", "libx264")
	if _, err := cameraLines(t, 2, "--input", clip, "--json"); err == nil || !strings.Contains(err.Error(),
		"clip.mp4: interrupted") {
		t.Errorf("%v", err)
	}
}

// TestCameraInputDamaged: a damaged video is played as far as it can be read, here and to a server. Its error names the
// damage.
func TestCameraInputDamaged(t *testing.T) {
	clip := clitest.CutShort(t)
	const want = "the file is cut short"
	text, err := cameraLines(t, -1, append([]string{"--input", clip, "--json"}, everyFrame...)...)
	if err == nil || strings.Count(err.Error(), filepath.Base(clip)) != 1 || !strings.Contains(err.Error(), want) ||
		len(lines(t, text)) == 0 {
		t.Errorf("%d lines, %v", len(lines(t, text)), err)
	}
	listen := clitest.FreePort(t)
	defer hosting(t, listen)()
	text, err = cameraLines(t, -1, "--input", clip, "--json", "--publish", "http://"+listen)
	if err == nil || !strings.Contains(err.Error(), want) || len(lines(t, text)) == 0 {
		t.Errorf("published: %d lines, %v", len(lines(t, text)), err)
	}
}

// hosting runs `mindflow serve` at an address until it is stopped, which waits for its end.
func hosting(t *testing.T, listen string, args ...string) (stop func()) {
	t.Helper()
	args = slices.Concat([]string{"--listen", listen, "--media", "127.0.0.1:0"}, args, clitest.EngineArgs(t))
	return clitest.Hosting(t, listen, func(ctx context.Context) error {
		return serve.Serve("test").Execute(ctx, args, nil, io.Discard)
	})
}

// TestCameraPublishAgreesWithVideo: a server returns what `video` prints for the same frames, but for the loss of
// coding them again.
func TestCameraPublishAgreesWithVideo(t *testing.T) {
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", testkit.Clip(t), "-t", "4", "-c:v", "libx264")
	reference, err := video(t, clip, "--json")
	if err != nil {
		t.Fatal(err)
	}
	want := lines(t, reference)
	clitest.NoLeaks(t)
	listen := clitest.FreePort(t)
	stop := hosting(t, listen)
	defer stop()
	text, err := cameraLines(t, -1, "--input", clip, "--json", "--publish", "http://"+listen, "--bitrate", "2000")
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, text)
	faces, found, alike, worst := 0, 0, 0, float32(1)
	for _, m := range got {
		i := slices.IndexFunc(want, func(w videoMessage) bool { return math.Abs(w.T-m.T) < 1e-3 })
		if i < 0 {
			t.Fatalf("no frame of the clip is of %v s", m.T)
		}
		for _, w := range want[i].Faces {
			faces++
			for _, face := range m.Faces {
				if iou := box(face).IoU(box(w)); iou > 0.5 {
					found++
					worst = min(worst, iou)
					if face.Label == w.Label || far(face.Scores, w.Scores) < 0.25 {
						alike++
					}
				}
			}
		}
	}
	t.Logf("%d labels of %d frames; %d faces, %d found, %d alike, worst IoU %.2f", len(got), len(want), faces, found,
		alike, worst)
	if len(got) < 5 || faces == 0 || found < faces*95/100 || alike < found*85/100 || worst < 0.7 {
		t.Errorf("%d labels; of %d faces %d are found, %d alike, the worst box has an IoU of %.2f", len(got), faces,
			found, alike, worst)
	}
}

// TestCameraPublishOutlivesTheServer: when the server goes and comes back, the camera publishes again and reports it.
func TestCameraPublishOutlivesTheServer(t *testing.T) {
	clitest.NoLeaks(t)
	listen := clitest.FreePort(t)
	how := &cameraFlags{synthetic: true, size: "160x120", rate: 30, bitrate: 300, publish: "http://" + listen}
	if err := how.check(); err != nil {
		t.Fatal(err)
	}
	device, err := how.open()
	if err != nil {
		t.Fatal(err)
	}
	var aside bytes.Buffer
	out, in := io.Pipe()
	ctx, end := context.WithTimeout(t.Context(), clitest.Patience)
	defer end()
	done := make(chan error, 1)
	go func() {
		defer close(done)
		done <- publish(ctx, how, device, newLabelPrinter(in, &aside, true))
		in.Close()
	}()
	defer func() { // where the test fails before
		end()
		out.Close()
		<-done
	}()
	scan := bufio.NewScanner(out)
	var times []float64
	for _, enough := range []int{5, 24} { // it has begun before there is a server
		stop := hosting(t, listen)
		for range enough { // the second: more than may wait of the server before
			if !scan.Scan() {
				t.Fatalf("no more labels: %v", <-done)
			}
			times = append(times, lines(t, scan.Text()+"\n")[0].T)
		}
		stop()
	}
	end()
	_, _ = io.Copy(io.Discard, out)
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if !slices.IsSorted(times) {
		t.Errorf("times go back: %v", times)
	}
	said := aside.String()
	if strings.Count(said, "publishing to http://"+listen+"/whip") != 2 ||
		!strings.Contains(said, "draining; trying again") {
		t.Errorf("it said %s", said)
	}
}
