package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"mindflow/server/servertest"
)

// sse is one event, or a comment, as a reader gets it.
type sse struct {
	id, kind, data string
	retry          int
	comment        bool
}

// reader reads a session's events.
type reader struct {
	t    *testing.T
	scan *bufio.Scanner
}

// listen asks for a session's events. lastSeen may be empty.
func listen(t *testing.T, url, lastSeen string) (*http.Response, reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), servertest.Patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastSeen != "" {
		req.Header.Set("Last-Event-ID", lastSeen)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res, reader{t, bufio.NewScanner(res.Body)}
}

// next gives the next event or comment. It reports false at the end of the stream.
func (r reader) next() (e sse, ok bool) {
	r.t.Helper()
	for r.scan.Scan() {
		field, value, _ := strings.Cut(r.scan.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "retry":
			e.retry, _ = strconv.Atoi(value)
		case "":
			e.comment = r.scan.Text() != ""
			if e != (sse{}) && !e.comment {
				return e, true
			}
			if e.comment {
				r.scan.Scan() // the empty line
				return e, true
			}
		}
	}
	if err := r.scan.Err(); err != nil && !errors.Is(err, net.ErrClosed) {
		r.t.Errorf("read events: %v", err)
	}
	return sse{}, false
}

// ids reads so many labels and gives their ids.
func (r reader) ids(n int) (ids []uint64) {
	r.t.Helper()
	for len(ids) < n {
		e, ok := r.next()
		if !ok {
			r.t.Fatalf("the stream ended after %v", ids)
		}
		if e.data == "" || e.kind == "hello" {
			continue
		}
		id, err := strconv.ParseUint(e.id, 10, 64)
		if err != nil || e.data != fmt.Sprintf(`{"seq":%d}`, id) {
			r.t.Fatalf("event %+v: %v", e, err)
		}
		ids = append(ids, id)
	}
	return ids
}
