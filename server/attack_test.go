package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// raw sends bytes by a connection of their own and reads all that comes back until the server closes it, or an answer
// that needs no more.
func (s *Server) raw(t *testing.T, sent string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(servertest.Patience))
	go func() { _, _ = io.WriteString(conn, sent) }() // the server may answer and close before it has read all
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

// TestHTTPAttacks sends what no client's library would, and expects an answer of its own for each.
func TestHTTPAttacks(t *testing.T) {
	site := map[string][]byte{
		"index.html":     []byte("the page"),
		"mindflow.js":    bytes.Repeat([]byte("x"), 1000),
		"secret.pem":     []byte("key"),
		"test/secret.js": []byte("key"),
	}
	s := begin(t, idle(), func(c *Config) { c.Site = site })
	get := func(target string, header ...string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + strings.Join(
			append(header, ""),
			"\r\n",
		) + "\r\n"
	}
	post := func(header, body string) string {
		return "POST /whip HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/sdp\r\n" + header +
			"\r\n\r\n" + body
	}
	bomb := strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 3000)
	for _, row := range []struct {
		name, sent string
		status     int
	}{
		{"the page", get("/"), 200},
		{"path that climbs", get("/../../../etc/passwd"), 307}, // to /etc/passwd of the same host, which is not there,
		{"path that climbs, encoded", get("/%2e%2e/%2e%2e/etc/passwd"), 404},
		{"path that climbs, encoded slashes", get("/..%2f..%2fetc%2fpasswd"), 404},
		{"path that climbs, backslashes", get(`/..\..\etc\passwd`), 404},
		{"path with a zero byte", get("/index.html%00.js"), 404},
		{"two slashes", get("//etc/passwd"), 404}, // as one slash
		{"absolute path of a file", get("/%2fetc%2fpasswd"), 404},
		{"file of another kind", get("/secret.pem"), 404},
		{"file of the tests", get("/test/secret.js"), 404},
		{"file of the tests by a detour", get("/sub/../test/secret.js"), 307},
		{"session that climbs", get("/sessions/..%2f..%2fhealthz"), 404},
		{"address of another host", get("http://elsewhere.example/none"), 404},
		{"ten thousand ranges", get("/mindflow.js", "Range: bytes="+strings.Repeat("0-1,", 5000)+"0-1"), 200},
		{"CONNECT", "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\nCookie: secret\r\n\r\n", 405},
		{"method of nobody's", "BREW /whip HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"HTTP/2 in the clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		{"HTTP/9", "GET / HTTP/9.0\r\nHost: x\r\n\r\n", 505},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400},
		{"header without a colon", get("/", "nothing"), 400},
		{"header with a line feed", get("/", "Origin: https://a.example\rX: y"), 400},
		{"header of a megabyte", get("/", "X: "+strings.Repeat("x", 1<<20)), 431},
		{"ten thousand headers", get("/", strings.Repeat("X: y\r\n", 10_000)), 431},
		{"origin of no page", post("Origin: null\r\nContent-Length: 0", ""), 403},
		{"origin of another", post("Origin: https://stranger.example\r\nContent-Length: 0", ""), 403},
		{"origin that looks alike", post("Origin: http://x.stranger.example\r\nContent-Length: 0", ""), 403},
		{"origin with a name in it", post("Origin: http://x@stranger.example\r\nContent-Length: 0", ""), 403},
		{"lengths that differ", post("Content-Length: 3\r\nContent-Length: 5", "v=0"), 400},
		{"length below zero", post("Content-Length: -1", "v=0"), 400},
		{"two ways to tell a length", post("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400},
		{"chunk of an unknown size", post("Transfer-Encoding: chunked", "zz\r\n"), 400},
		{"chunk of a terabyte", post("Transfer-Encoding: chunked", "ffffffffff\r\n"+strings.Repeat("x", maxBody+1)),
			413},
		{"body of a terabyte", post("Content-Length: 1099511627776", strings.Repeat("x", maxBody+1)), 413},
		{"body that is packed", post("Content-Encoding: gzip\r\nContent-Length: 4", "\x1f\x8b\x08\x00"), 400},
		{"offer of nothing but candidates", post(fmt.Sprintf("Content-Length: %d", len(bomb)), bomb), 413},
		{"offer of nothing", post("Content-Length: 0", ""), 400},
		{"fragment for nobody", "PATCH /sessions/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", 404},
	} {
		status, body := s.raw(t, row.sent)
		if status != row.status {
			t.Errorf("%s: status %d, want %d: %.200s", row.name, status, row.status, body)
		}
		if strings.Contains(body, "root:") || strings.Contains(body, "key") && !strings.Contains(body, "{") ||
			strings.Contains(body, "Cookie") {
			t.Errorf("%s: told %.200q", row.name, body)
		}
	}
	if got := s.Stats(); got.Sessions != 0 || got.Panics != 0 {
		t.Errorf("%+v", got)
	}
}

// A body that never comes is not waited for; what comes otherwise may take as long as a busy machine needs.
func TestBodyThatNeverComes(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.timing.RequestTime = time.Second })
	sent := "POST /whip HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
		"Content-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0"
	if status, body := s.raw(t, sent); status != http.StatusRequestTimeout || s.Stats().Sessions != 0 {
		t.Errorf("status %d: %.200s", status, body)
	}
}

// TestSlowClients begins and never ends: the connection is closed, and nothing is left of it.
func TestSlowClients(t *testing.T) {
	for _, row := range []struct{ name, sent string }{
		{"nothing", ""},
		{"half a header", "POST /whip HTTP/1.1\r\nHost: x\r\nX: "},
		{"half a body",
			"POST /whip HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0"},
		{"one request, and then nothing", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := begin(t, idle(), func(c *Config) {
				c.timing.HeaderTime, c.timing.IdleTime = 200*time.Millisecond, 200*time.Millisecond
				c.timing.RequestTime = 300 * time.Millisecond
			})
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(servertest.Patience))
			if _, err := io.WriteString(conn, row.sent); err != nil {
				t.Fatal(err)
			}
			var timeout net.Error
			if _, err := io.Copy(io.Discard, conn); errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("the connection was still open after %s", servertest.Patience)
			}
			servertest.WaitFor(t, "the connection to be forgotten", func() bool {
				open, _ := s.conns.Open()
				return open == 0
			})
		})
	}
}

// TestSurplusConnections opens more than may be open. The session's labels go on, and its DELETE is heard afterwards.
func TestSurplusConnections(t *testing.T) {
	s := begin(t, idle(), func(*Config) {})
	var open []net.Conn
	for range maxConnections + 50 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Skipf("this machine gives %d connections: %v", len(open), err)
		}
		defer c.Close()
		open = append(open, c)
	}
	servertest.WaitFor(t, "the surplus to be refused", func() bool { return s.conns.Refused()["total"] >= 50 })
	for _, c := range open {
		_ = c.Close()
	}
	servertest.WaitFor(t, "room", func() bool {
		status, _ := s.raw(t, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		return status == http.StatusOK
	})
}

// TestBurst has ten thousand offers come while a session is on: all are refused, its labels go on, and nothing of them
// stays.
func TestBurst(t *testing.T) {
	const offers, workers = 10_000, 50
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) { c.MaxSessions, c.Log = 1, nil })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	sess := s.only(t)
	heap, goroutines := settledHeap(), runtime.NumGoroutine()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	var next, refused atomic.Int64
	var work sync.WaitGroup
	body := servertest.Lines(servertest.Offer)
	for range workers {
		work.Add(1)
		go func() {
			defer work.Done()
			for next.Add(1) <= offers {
				res, err := client.Post(s.url("/whip"), offerType, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests {
					refused.Add(1)
				}
			}
		}()
	}
	burst := make(chan struct{})
	go func() { work.Wait(); close(burst) }()
	messages := 0
	for over := false; !over; {
		select {
		case <-p.Labels():
			messages++
		case <-burst:
			over = true
		case <-p.Done():
			t.Fatal("the session ended")
		}
	}
	client.CloseIdleConnections()
	if refused.Load() != offers {
		t.Errorf("%d of %d offers were refused", refused.Load(), offers)
	}
	if messages == 0 {
		t.Error("the session had no labels meanwhile")
	}
	p.DrainLabels()
	p.Label("labels afterwards", servertest.Any)
	if s.only(t) != sess {
		t.Error("the session is another one")
	}
	servertest.WaitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
	if grown := int64(settledHeap()) - int64(heap); grown > 8<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	t.Logf("%d label messages during the burst", messages)
}

// settledHeap is how much is in use after what is not is gone.
func settledHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
