package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// content is a file by formula.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

// origin serves one file; every answer breaks off after cut bytes, when that is not 0.
type origin struct {
	file   []byte
	cut    int
	plain  bool // knows no ranges
	before func(w http.ResponseWriter, r *http.Request) (done bool)
	asked  atomic.Int32
	sent   atomic.Int64
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked.Add(1)
	if o.before != nil && o.before(w, r) {
		return
	}
	if o.plain {
		r.Header.Del("Range")
		n, _ := w.Write(o.file)
		o.sent.Add(int64(n))
		return
	}
	http.ServeContent(&cutter{ResponseWriter: w, o: o}, r, "", time.Time{}, bytes.NewReader(o.file))
}

type cutter struct {
	http.ResponseWriter
	o    *origin
	sent int
}

func (c *cutter) Write(p []byte) (int, error) {
	if c.o.cut > 0 && c.sent+len(p) > c.o.cut {
		p = p[:c.o.cut-c.sent]
	}
	n, err := c.ResponseWriter.Write(p)
	c.sent += n
	c.o.sent.Add(int64(n))
	if c.o.cut > 0 && c.sent >= c.o.cut {
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// job fetches o's file, which should be want, into a new folder.
func job(t *testing.T, o *origin, want []byte) Job {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	client := server.Client()
	t.Cleanup(client.CloseIdleConnections)
	sum := sha256.Sum256(want)
	return Job{Place: Place{URL: server.URL + "/model.onnx"}, Target: filepath.Join(t.TempDir(), "sub", "model.onnx"),
		SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(want)), Client: client, Stall: 5 * time.Second,
		Backoff: time.Millisecond}
}

// holds checks that the folder has the file and nothing else, or nothing at all when want is nil.
func holds(t *testing.T, j Job, want []byte) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(j.Target))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want == nil {
		if len(names) > 0 {
			t.Errorf("left behind: %v", names)
		}
		return
	}
	got, err := os.ReadFile(j.Target)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file differs")
	}
	if len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestCutDownloadGoesOn(t *testing.T) {
	file := content(1 << 20)
	o := &origin{file: file, cut: 300_000}
	j := job(t, o, file)
	var last, total int64
	j.Progress = func(d, n int64) {
		if d < last {
			t.Errorf("progress went back from %d to %d", last, d)
		}
		last, total = d, n
	}
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	holds(t, j, file)
	if o.asked.Load() != 4 {
		t.Errorf("asked %d times, want 4", o.asked.Load())
	}
	if o.sent.Load() != int64(len(file)) {
		t.Errorf("%d bytes were sent for a file of %d", o.sent.Load(), len(file))
	}
	if last != int64(len(file)) || total != int64(len(file)) {
		t.Errorf("progress ended at %d of %d", last, total)
	}
}

func TestLaterRunGoesOn(t *testing.T) {
	file := content(1 << 20)
	const sent = 300_000
	o := &origin{file: file}
	o.before = func(w http.ResponseWriter, r *http.Request) bool {
		if o.asked.Load() > 1 {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(file)))
		if _, err := w.Write(file[:sent]); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	j := job(t, o, file)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j.Progress = func(d, _ int64) {
		if d == sent {
			cancel()
		}
	}
	err := j.Run(ctx)
	if err == nil || !strings.Contains(err.Error(), "run the command again") {
		t.Fatalf("a cancelled download says %v", err)
	}
	kept, err := os.Stat(j.Target + ".part")
	if err != nil || kept.Size() != sent {
		t.Fatalf("the part: %v, %v", kept, err)
	}
	var first int64
	j.Progress = func(d, _ int64) {
		if first == 0 {
			first = d
		}
	}
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	holds(t, j, file)
	if first <= kept.Size() {
		t.Errorf("the second run began at %d, with %d there", first, kept.Size())
	}
}

func TestPartOfAnotherFileIsNotKept(t *testing.T) {
	file := content(100_000)
	for name, part := range map[string][]byte{
		"shorter": bytes.Repeat([]byte("x"), 5_000), "as long": bytes.Repeat([]byte("x"), len(file)),
		"longer": bytes.Repeat([]byte("x"), 2*len(file)),
	} {
		t.Run(name, func(t *testing.T) {
			j := job(t, &origin{file: file}, file)
			if err := os.MkdirAll(filepath.Dir(j.Target), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(j.Target+".part", part, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := j.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			holds(t, j, file)
		})
	}
}

func TestServerWithoutRanges(t *testing.T) {
	file := content(100_000)
	j := job(t, &origin{file: file, plain: true}, file)
	if err := os.MkdirAll(filepath.Dir(j.Target), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(j.Target+".part", file[:50_000], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	holds(t, j, file)
}

func TestSilentServerIsTriedAgain(t *testing.T) {
	file := content(10_000)
	o := &origin{file: file}
	o.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if o.asked.Load() > 1 {
			return false
		}
		<-r.Context().Done()
		return true
	}
	j := job(t, o, file)
	j.Stall = 50 * time.Millisecond
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	holds(t, j, file)
}

func TestOnePullAtATime(t *testing.T) {
	file := content(1000)
	j := job(t, &origin{file: file}, file)
	if err := os.MkdirAll(filepath.Dir(j.Target), 0o755); err != nil {
		t.Fatal(err)
	}
	other, err := openPart(j.Target + ".part")
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "another pull") {
		t.Errorf("got %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Run(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestPath(t *testing.T) {
	file := content(5000)
	from := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(from, file, 0o644); err != nil {
		t.Fatal(err)
	}
	j := job(t, &origin{}, file)
	j.Place = j.Place.Elsewhere(from)
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	holds(t, j, file)

	j.Place = j.Place.Elsewhere(from + "-absent")
	if err := j.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "-absent") {
		t.Errorf("an absent file says %v", err)
	}
}

func TestParseSource(t *testing.T) {
	good := map[string]Place{
		"https://example.org/a/m.onnx":   {URL: "https://example.org/a/m.onnx"},
		"npm pkg@1.0.0/dir/m.onnx":       {Package: "pkg@1.0.0", Member: "package/dir/m.onnx"},
		"npm @own/pkg@1.0.0-rc.1/m.onnx": {Package: "@own/pkg@1.0.0-rc.1", Member: "package/m.onnx"},
	}
	for source, want := range good {
		if got, err := ParseSource(source); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", source, got, err, want)
		}
	}
	for _, source := range []string{"", "models/weights/x.onnx, built by hand", "npm pkg/m.onnx", "npm @own/m.onnx",
		"npm pkg@/m", "ftp://example.org/m"} {
		if got, err := ParseSource(source); err == nil {
			t.Errorf("%q is taken for %+v", source, got)
		}
	}
	secret := Place{URL: "https://user:word@example.org/m"}
	if s := secret.String(); strings.Contains(s, "word") {
		t.Errorf("a password is shown: %s", s)
	}
}
