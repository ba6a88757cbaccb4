package server

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/operate"
	"mindflow/server/servertest"
	"mindflow/server/session"
	"mindflow/server/whipclient"
)

// tell publishes messages that say no more than their number.
func tell(sess *hosted, from, to uint64) {
	for seq := from; seq <= to; seq++ {
		sess.Events().Publish(seq, fmt.Appendf(nil, `{"seq":%d}`, seq))
	}
}

// silent opens a session whose labels the test makes.
func silent(t *testing.T, change func(*Config)) (s *Server, sess *hosted, url string) {
	t.Helper()
	s = begin(t, idle(), change)
	res, _ := s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	return s, s.only(t), s.url(sessionPath(t, res))
}

func TestEventsOfVideo(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	counts := operate.NewMetrics("1.2")
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) {
		c.Metrics, c.MaxSide, c.MaxFramerate = counts, 640, 24
	})
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Says("a hint", func(c whipclient.Control) bool { return c.Type == "hint" })
	p.Stream(units)
	head, err := http.Head(p.Session() + "/labels")
	if err != nil {
		t.Fatal(err)
	}
	if got := head.Header.Get("Content-Type"); head.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Errorf("HEAD: status %d, content type %q", head.StatusCode, got)
	}
	sess := s.only(t)
	servertest.WaitFor(t, "HEAD to give its place back", func() bool { return sess.Events().Readers() == 0 })
	res, events := listen(t, p.Session()+"/labels", "")
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	if e, _ := events.next(); e.retry != retryAfter {
		t.Errorf("the stream begins with %+v", e)
	}
	hello, _ := events.next()
	var said whipclient.Control
	if err := json.Unmarshal([]byte(hello.data), &said); err != nil || hello.kind != "hello" || said.V != 1 ||
		said.Type != "hello" ||
		said.Session != sess.ID() ||
		len(said.Model.Labels) == 0 {
		t.Errorf("then comes %+v", hello)
	}
	var last uint64
	for range 5 {
		e, _ := events.next()
		var m pipeline.Message
		if err := json.Unmarshal([]byte(e.data), &m); err != nil || m.Seq <= last ||
			e.id != strconv.FormatUint(m.Seq, 10) {
			t.Fatalf("event %+v after %d: %v", e, last, err)
		}
		last = m.Seq
	}
	if n := scrape(t, counts)["mindflow_label_events_sent_total"]; n < 5 {
		t.Errorf("%v events are counted", n)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var end sse
	for e, ok := events.next(); ok; e, ok = events.next() {
		if e.kind == "hint" {
			t.Errorf("a reader of events got %+v, which is for the publisher", e)
		}
		end = e
	}
	if end.kind != "bye" || end.data != `{"v":1,"type":"bye","reason":"deleted"}` {
		t.Errorf("the stream ended with %+v", end)
	}
}

func TestEventsResume(t *testing.T) {
	for _, row := range []struct {
		name     string
		said     uint64 // messages so far
		lastSeen string
		want     []uint64 // before and with message said+1
	}{
		{"new", 10, "", []uint64{10, 11}},
		{"new before the first", 0, "", []uint64{1}},
		{"back at once", 10, "10", []uint64{11}},
		{"missed some", 10, "7", []uint64{8, 9, 10, 11}},
		{"missed all", 3, "0", []uint64{1, 2, 3, 4}},
		{"missed all that is kept", 100, "36", span(37, 101)},
		{"missed one more", 100, "35", []uint64{100, 101}},
		{"of another session", 10, "5000", []uint64{10, 11}},
		{"of another session, before the first", 0, "5000", []uint64{1}},
		{"no number", 10, "latest", []uint64{10, 11}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, sess, url := silent(t, nil)
			tell(sess, 1, row.said)
			_, events := listen(t, url+"/labels", row.lastSeen)
			if e, _ := events.next(); e.retry != retryAfter {
				t.Errorf("the stream begins with %+v", e)
			}
			got := events.ids(len(row.want) - 1)
			tell(sess, row.said+1, row.said+1)
			if got = append(got, events.ids(1)...); !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func span(from, to uint64) (list []uint64) {
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list
}

// A session that says nothing for long keeps its readers, and tells them why it ends. Who comes back
// then is told to stay away.
func TestEventsOfPause(t *testing.T) {
	s, sess, url := silent(t, func(c *Config) { c.timing.Heartbeat = 20 * time.Millisecond })
	tell(sess, 1, 2)
	_, events := listen(t, url+"/labels", "1")
	events.next() // retry
	if ids := events.ids(1); ids[0] != 2 {
		t.Errorf("missed message 2, got %v", ids)
	}
	beats := 0
	var end sse
	for e, ok := events.next(); ok; e, ok = events.next() {
		if e.comment {
			beats++
		}
		if beats == 2 {
			sess.End(session.EndIdle)
		}
		end = e
	}
	if beats < 2 || end.data != `{"v":1,"type":"bye","reason":"idle"}` {
		t.Errorf("%d heartbeats, then %+v", beats, end)
	}
	servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
	if res, _ := listen(t, url+"/labels", "2"); res.StatusCode != http.StatusNoContent {
		t.Errorf("coming back after the end: status %d", res.StatusCode)
	}
	if res, _ := listen(t, url+"/labels", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("coming after the end: status %d", res.StatusCode)
	}
}

// A session has so many readers at once; the next is told to come back, and has the place of one that leaves.
func TestEventsReaders(t *testing.T) {
	_, sess, url := silent(t, nil)
	var readers []*http.Response
	for range session.MaxReaders {
		res, r := listen(t, url+"/labels", "")
		if e, ok := r.next(); res.StatusCode != http.StatusOK || !ok || e.retry == 0 {
			t.Fatalf("status %d, %+v", res.StatusCode, e)
		}
		readers = append(readers, res)
	}
	res, _ := listen(t, url+"/labels", "")
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "10" ||
		!strings.Contains(string(text), "too many readers") {
		t.Errorf("one more: status %d, %v, %s", res.StatusCode, res.Header, text)
	}
	if n := sess.Events().Readers(); n != session.MaxReaders {
		t.Errorf("%d readers are counted", n)
	}
	if err := readers[0].Body.Close(); err != nil {
		t.Fatal(err)
	}
	servertest.WaitFor(t, "a place", func() bool { return sess.Events().Readers() < session.MaxReaders })
	if res, _ := listen(t, url+"/labels", ""); res.StatusCode != http.StatusOK {
		t.Errorf("in the place of one that left: status %d", res.StatusCode)
	}
}

// A reader that takes nothing for a while finds the newest message after what was on its way already,
// which is bounded.
func TestEventsSlowReader(t *testing.T) {
	_, sess, url := silent(t, nil)
	conn := rawReader(t, url)
	defer conn.Close()
	filler := strings.Repeat(" ", 16<<10)
	const total = 1000
	pace := time.NewTicker(time.Millisecond) // so that the server can send each, as long as it has room
	defer pace.Stop()
	for seq := uint64(1); seq <= total; seq++ {
		sess.Events().Publish(seq, fmt.Appendf(nil, `{"seq":%d}%s`, seq, filler))
		<-pace.C
	}
	var ids []uint64
	bytes := 0
	scan := bufio.NewScanner(conn)
	for len(ids) == 0 || ids[len(ids)-1] != total {
		if !scan.Scan() {
			t.Fatalf("the stream ended after %v: %v", ids, scan.Err())
		}
		bytes += len(scan.Bytes())
		if value, ok := strings.CutPrefix(scan.Text(), "id: "); ok {
			id, err := strconv.ParseUint(value, 10, 64)
			if err != nil || len(ids) > 0 && id <= ids[len(ids)-1] {
				t.Fatalf("id %q after %v", value, ids)
			}
			ids = append(ids, id)
		}
	}
	if len(ids) < 2 {
		t.Fatalf("nothing was on its way: %v", ids)
	}
	if gap := total - ids[len(ids)-2]; gap < total/2 || bytes > 1<<20 {
		t.Errorf("the newest comes %d after the one before; %d bytes were waiting: %v", gap, bytes, ids)
	}
}

// rawReader asks for a session's events and reads nothing yet. It keeps little itself.
func rawReader(t *testing.T, url string) net.Conn {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	dialer := net.Dialer{Timeout: servertest.Patience}
	conn, err := dialer.DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.(*net.TCPConn).SetReadBuffer(4<<10),
		conn.SetDeadline(time.Now().Add(servertest.Patience))); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET /%s/labels HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("HTTP/1.1 200 OK"))
	if _, err := io.ReadFull(conn, line); err != nil || string(line) != "HTTP/1.1 200 OK" {
		t.Fatalf("answer %q: %v", line, err)
	}
	return conn
}

// A reader that takes nothing at all does not hold up the server's end, which begin checks.
func TestEventsStuckReader(t *testing.T) {
	var conn net.Conn
	t.Cleanup(func() { _ = conn.Close() }) // after the server's end
	_, sess, url := silent(t, func(c *Config) { c.EndTime = eventDeadline * 4 / 5 })
	sess.Events().Publish(1, []byte(strings.Repeat(" ", 16<<20))) // more than fits on the way
	conn = rawReader(
		t,
		url,
	) // the answer has begun: the server is writing the message
}
