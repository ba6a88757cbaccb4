// Package clitest holds what the tests of the commands share.
package clitest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/pipeline/avdec"
	"mindflow/pipeline/avdec/avfile"
	"mindflow/pipeline/testkit"
	"mindflow/pipeline/vision"
	"mindflow/pipeline/vpx"
)

// Patience bounds the waits of tests. They end as soon as what they wait for happens.
const Patience = 2 * time.Minute

// OneFace is a clip among the test media with one face from its first frame to the last but one.
const OneFace = "woman-distress-to-laugh.mp4"

// Main runs a package's tests, and fails when a command left memory in C.
func Main(m *testing.M) {
	testkit.MainLive(m, map[string]func() int64{
		"decoders": avdec.Live, "videos": avfile.Live, "encoders": vpx.Live,
		"pictures, recordings and cascades": vision.Live,
	})
}

// NoLeaks checks at the end of a test that its goroutines and encoders are gone.
func NoLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		testkit.NoLeaks(t, before)
		if n := vpx.Live(); n != 0 {
			t.Errorf("%d encoders are open", n)
		}
	})
}

// EngineArgs returns flags that point at what `make build` put in place, since a test's binary stands elsewhere.
func EngineArgs(t *testing.T) []string {
	t.Helper()
	bin := filepath.Join(testkit.Root(), "bin")
	library := filepath.Join(bin, "lib", "libonnxruntime.so.1")
	if _, err := os.Stat(library); err != nil {
		t.Skip("run make build first:", err)
	}
	return []string{"--models", filepath.Join(bin, "models"), "--ort-lib", library}
}

// AlteredModels returns a copy of the models in which one byte of one file is another.
func AlteredModels(t *testing.T, models string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(models, "*.onnx"))
	if err != nil || len(files) < 2 {
		t.Fatalf("models: %v, %v", files, err)
	}
	for _, file := range files {
		data := testkit.ReadFile(t, file)
		if filepath.Base(file) == "dan-ferplus.onnx" {
			data[len(data)/2] ^= 1
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// WriteFile writes a file into dir, by its folders and name there.
func WriteFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// MediaFile returns the path of a file of the test media.
func MediaFile(t *testing.T, name string) string {
	t.Helper()
	dir, ok := testkit.MediaDir()
	if !ok {
		t.Skip("no test media: set MINDFLOW_TESTDATA to a folder that has", name)
	}
	return filepath.Join(dir, name)
}

// Portrait returns a photograph of faces from a package that the browser tests install.
func Portrait(t *testing.T) string {
	t.Helper()
	file := filepath.Join(testkit.Root(), "node_modules", "@vladmandic", "face-api", "demo", "sample6.jpg")
	if _, err := os.Stat(file); err != nil {
		t.Skip("run make test, which installs it:", err)
	}
	return file
}

// Blank makes a short video without faces, 320 by 180, 25 frames a second.
func Blank(t *testing.T, name string) string {
	t.Helper()
	return testkit.MakeVideo(t, name, "-f", "lavfi", "-i", "color=gray:size=320x180:rate=25:duration=0.4", "-c:v",
		"libx264")
}

// CutShort makes a video of two seconds of which the latter half is missing.
func CutShort(t *testing.T) string {
	t.Helper()
	clip := testkit.MakeVideo(t, "cut.mp4", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2",
		"-c:v", "libx264", "-movflags", "+faststart")
	whole, err := os.Stat(clip)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(clip, whole.Size()/2); err != nil {
		t.Fatal(err)
	}
	return clip
}

// FrameTimes asks ffprobe for the times of a video's frames, in seconds.
func FrameTimes(t *testing.T, clip string) []float64 {
	t.Helper()
	return testkit.Probe(t, clip, "frame=best_effort_timestamp_time")
}

// FreePort returns a TCP address of this machine that is free.
func FreePort(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
}

// UsedPorts returns an address of TCP and one of UDP that are in use until the test ends.
func UsedPorts(t *testing.T) (tcp, udp string) {
	t.Helper()
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stream.Close() })
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packets.Close() })
	return stream.Addr().String(), packets.LocalAddr().String()
}

// Binary builds mindflow for a test: exit codes and messages are the process's.
func Binary(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "mindflow")
	if text, err := exec.Command("go", "build", "-o", out, "mindflow/cmd/mindflow").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, text)
	}
	return out
}

// Background runs a command until stop is called, which waits for its end. A test that fails stops it too.
func Background(t *testing.T, run func(context.Context) error) (done <-chan error, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the command ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return ended, stop
}

// Get requests a page until the server answers, or until done reports its end.
func Get(t *testing.T, client *http.Client, url string, done <-chan error) string {
	t.Helper()
	for deadline := time.Now().Add(Patience); ; {
		response, err := client.Get(url)
		if err == nil {
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("GET %s: %s, %v", url, response.Status, err)
			}
			return string(body)
		}
		select {
		case err := <-done:
			t.Fatalf("serve ended: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("GET %s, after %v: %v", url, Patience, err)
		}
	}
}

// Hosting runs a server that listens at listen until stop is called. It returns once the server is ready.
func Hosting(t *testing.T, listen string, run func(context.Context) error) (stop func()) {
	t.Helper()
	done, stop := Background(t, run)
	client := &http.Client{Timeout: Patience}
	defer client.CloseIdleConnections()
	Get(t, client, "http://"+listen+"/readyz", done)
	return stop
}

// WaitUntil waits for something to happen.
func WaitUntil(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v until %s", Patience, what)
		}
	}
}
