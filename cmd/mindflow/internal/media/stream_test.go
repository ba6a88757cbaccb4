package media

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline/testkit"
)

// feedStandardInput makes data the standard input of the test.
func feedStandardInput(t *testing.T, data []byte) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = reader
	go func() {
		_, _ = writer.Write(data) // fails where the command leaves early
		writer.Close()
	}()
	t.Cleanup(func() {
		os.Stdin = stdin
		reader.Close()
	})
}

// TestVideoOfAStream: a video on standard input, or on a web server, gives the rows of its file. Its index is at its
// end. No temporary file stays.
func TestVideoOfAStream(t *testing.T) {
	clip := testkit.MakeVideo(t, "clip.mp4", "-i", clitest.MediaFile(t, clitest.OneFace), "-t", "1", "-c:v", "libx264")
	want, err := video(t, clip, "--csv")
	if err != nil {
		t.Fatal(err)
	}
	data := testkit.ReadFile(t, clip)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "se/cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.ServeFile(w, r, clip)
	}))
	defer server.Close()
	spooled := t.TempDir()
	t.Setenv("TMPDIR", spooled)
	for name, input := range map[string][]byte{
		"-": data, strings.Replace(server.URL, "://", "://me:se%2Fcret@", 1) + "/clip.mp4?key=secret": nil,
	} {
		feedStandardInput(t, input)
		to := t.TempDir()
		got, err := video(t, name, "--csv", "--annotate", to)
		if err != nil || got != want {
			t.Errorf("%s: %v; %d bytes of rows, want %d", name, err, len(got), len(want))
		}
		annotated := map[bool]string{true: "standard input.mp4", false: "clip.mp4"}[name == "-"]
		if _, err := os.Stat(filepath.Join(to, annotated)); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(spooled); err != nil || len(left) > 0 {
		t.Errorf("temporary files stay: %v, %v", left, err)
	}
}

func TestImageOfAStream(t *testing.T) {
	photo := clitest.Portrait(t)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(photo))))
	defer server.Close()
	address := server.URL + "/" + filepath.Base(photo)
	feedStandardInput(t, testkit.ReadFile(t, photo))
	got, err := read(t, photo, "-", address+"?key=secret")
	if err != nil {
		t.Fatal(err)
	}
	want := got[photo].Faces
	for _, name := range []string{"standard input", address} {
		faces := got[name].Faces
		if len(faces) == 0 || len(faces) != len(want) || faces[0].Box != want[0].Box ||
			faces[0].Label != want[0].Label {
			t.Errorf("%s: %+v, want %+v", name, faces, want)
		}
	}
}

// TestStreamRefuses: errors are one line that tells what to do, without the password.
func TestStreamRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/camera":
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=next")
		case "/page":
			fmt.Fprint(w, "<!doctype html>")
		case "/short":
			w.Header().Set("Content-Length", "1000")
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for name, want := range map[string]string{
		server.URL + "/none?key=secret":   "the server answers 404",
		server.URL + "/camera?key=secret": "camera --input",
		server.URL + "/page?key=secret":   "not a video of a known format",
		server.URL + "/short?key=secret":  "unexpected EOF",
		server.URL + "/file?key=secret":   "unsupported protocol scheme",
		"rtsp://me:secret@host/":          "camera --input",
		"ftp://me:secret@host/a.mp4":      "an address of http or https",
		"https://me:se%cret@host/a.mp4":   "%XX",
		"-":                               "the file is empty",
	} {
		feedStandardInput(t, nil)
		text, err := video(t, name)
		if err == nil || text != "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, %v, want %q", name, text, err, want)
		}
	}
}

// TestStreamInterrupted: neither a pipe nor a server that says nothing keeps the command.
func TestStreamInterrupted(t *testing.T) {
	quiet := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-quiet }))
	defer server.Close()
	defer close(quiet)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = reader
	defer func() { os.Stdin = stdin }()
	defer writer.Close()
	for _, name := range []string{"-", server.URL} {
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, _, err := spool(ctx, name)
		stop()
		if err == nil || ctx.Err() == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVideoOfHighDynamicRange: a clip in PQ gives most labels of its copy in standard range.
func TestVideoOfHighDynamicRange(t *testing.T) {
	var labels [2][]string
	for i, name := range []string{"pq.mp4", "sdr.mp4"} {
		text, err := video(t, testkit.SharedFile(t, "cases", name), "--json")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lines(t, text) {
			label := ""
			for _, face := range m.Faces {
				label += face.Label
			}
			labels[i] = append(labels[i], label)
		}
	}
	if share := testkit.EqualShare(labels[0], labels[1]); share < 0.82 { // 0.76 without tone mapping
		t.Errorf("%.2f of the labels are alike", share)
	}
}
