package avfile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline/testkit"
)

// transport is a stream of two seconds as cameras send it.
func transport(t *testing.T) []byte {
	t.Helper()
	return readFile(t, makeVideo(t, "a.ts", append(moving, "-c:v", "libx264", "-tune", "zerolatency", "-g", "10")...))
}

// pictures reads a live source to its end.
func pictures(t *testing.T, address string) (n int, err error) {
	t.Helper()
	v, err := OpenLive(t.Context(), address)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	for ; ; n++ {
		f, _, err := v.Next()
		if err != nil {
			return n, err
		}
		if f.Width != 320 || f.Height != 180 {
			t.Errorf("a picture of %dx%d", f.Width, f.Height)
		}
	}
}

func TestLiveSources(t *testing.T) {
	stream := transport(t)
	camera := testkit.NewRTSPCamera(t, stream, 2*time.Second, "")
	locked := testkit.NewRTSPCamera(t, stream, 2*time.Second, "admin:pass:w/rd")
	photo := readFile(t, makeVideo(t, "a.jpg", append(moving, "-frames:v", "1")...))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream.ts" {
			_, _ = w.Write(stream)
			return
		}
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=next")
		for range 50 {
			fmt.Fprintf(w, "--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(photo), photo)
		}
	}))
	defer server.Close()
	for name, address := range map[string]string{
		"RTSP":                 "rtsp://" + camera.Address + "/cam",
		"RTSP with a password": "rtsp://admin:pass%3Aw%2Frd@" + locked.Address + "/cam",
		"MPEG-TS over HTTP":    server.URL + "/stream.ts",
		"MJPEG over HTTP":      server.URL + "/mjpeg?user=admin&password=secret",
	} {
		n, err := pictures(t, address)
		if err == nil || !strings.Contains(err.Error(), "the stream ended") || n < 40 {
			t.Errorf("%s: %d pictures of 50, then %v", name, n, err)
		}
	}
}

// Errors tell what to do, and repeat neither passwords nor paths.
func TestLiveSourceRefuses(t *testing.T) {
	locked := testkit.NewRTSPCamera(t, transport(t), time.Second, "admin:right")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/text"):
			fmt.Fprint(w, strings.Repeat("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", 100))
		case strings.HasPrefix(r.URL.Path, "/file"):
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct{ address, want string }{
		{"rtsp://admin:secret@" + locked.Address + "/cam", "NAME:PASSWORD@HOST"},
		{"rtsp://" + locked.Address + "/user=admin_password=secret", "NAME:PASSWORD@HOST"},
		{server.URL + "/none?pwd=secret", "no stream at this path"},
		{server.URL + "/text?pwd=secret", "no stream of a known kind"},
		{server.URL + "/file?pwd=secret", "no stream of a known kind"},
		{"rtsp://admin:secret@" + closed.Addr().String() + "/", "Connection refused"},
		{"rtsp://admin:1/secret@127.0.0.1/", "%2F for /"},
		{"rtsp://admin:sec/ret@127.0.0.1/", "%2F for /"},
		{"http:///secret", "names no host"},
		{"file:///etc/secret", "rtsp, http and https"},
		{"concat:secret", "rtsp, http and https"},
	} {
		_, err := pictures(t, c.address)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") ||
			strings.Contains(err.Error(), "admin") {
			t.Errorf("%s: %v, want %q", c.address, err, c.want)
		}
	}
}

// A source that says nothing ends with its context.
func TestLiveSourceInterrupted(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, scheme := range []string{"rtsp", "http"} {
		ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		if _, err := OpenLive(ctx, scheme+"://"+silent.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", scheme, err)
		}
		stop()
		if took := time.Since(began); took > livePatience/2 {
			t.Errorf("%s ended after %v", scheme, took)
		}
	}
	camera := testkit.NewRTSPCamera(t, transport(t), 10*time.Second, "")
	ctx, stop := context.WithCancel(t.Context())
	v, err := OpenLive(ctx, "rtsp://"+camera.Address+"/cam")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	time.AfterFunc(200*time.Millisecond, stop)
	for began := time.Now(); ; {
		if _, _, err := v.Next(); err != nil {
			if took := time.Since(began); took > livePatience/2 {
				t.Errorf("it ended after %v: %v", took, err)
			}
			return
		}
	}
}

// Open, which takes names of files, opens no address.
func TestOpenTakesNoAddress(t *testing.T) {
	camera := testkit.NewRTSPCamera(t, nil, time.Second, "")
	for _, scheme := range []string{"rtsp", "http", "tcp"} {
		if v, err := Open(scheme + "://" + camera.Address + "/cam"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, %v", scheme, v, err)
		}
	}
	if n := camera.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestOrigin(t *testing.T) {
	for address, want := range map[string]string{
		"rtsp://127.0.0.1/a":              "rtsp://127.0.0.1",
		"RTSP://a:b@c@host:554/x?y=z@w#v": "rtsp://host:554",
		"http://[::1]:80/?pwd=x":          "http://[::1]:80",
		"https://host?pwd=x":              "https://host",
	} {
		if got, err := Origin(address); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", address, got, err, want)
		}
	}
}
