package server

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	maxReaders    = 8 // of one session's events
	eventDeadline = 10 * time.Second
)

// broadcast shows the newest label message to any number of readers. A reader that is slow skips to
// the newest: there is nothing to queue.
type broadcast struct {
	newest  atomic.Pointer[event]
	readers atomic.Int32
}

type event struct {
	seq   uint64
	text  []byte        // nil before the first message
	newer chan struct{} // closed when this is no longer the newest
}

func (b *broadcast) init() { b.newest.Store(&event{newer: make(chan struct{})}) }

// publish makes text the newest. One goroutine calls it.
func (b *broadcast) publish(seq uint64, text []byte) {
	old := b.newest.Swap(&event{seq: seq, text: text, newer: make(chan struct{})})
	close(old.newer)
}

// streamLabels answers with server-sent events: the same messages as on the data channel, for
// publishers that open none.
func (s *Server) streamLabels(w http.ResponseWriter, r *http.Request) error {
	sess, err := s.find(r)
	if err != nil {
		return err
	}
	defer sess.events.readers.Add(-1)
	if sess.events.readers.Add(1) > maxReaders {
		return newProblem(http.StatusServiceUnavailable, "this session's labels have too many readers").with("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return nil
	}
	out := http.NewResponseController(w)
	if err := out.SetReadDeadline(time.Time{}); err != nil { // the server's would cut the stream
		return fmt.Errorf("set deadline: %w", err)
	}
	e := sess.events.newest.Load()
	for {
		if err := out.SetWriteDeadline(time.Now().Add(eventDeadline)); err != nil {
			return fmt.Errorf("set deadline: %w", err)
		}
		if e.text != nil {
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.seq, e.text); err != nil {
				return nil // the reader left
			}
		}
		if err := out.Flush(); err != nil {
			return nil
		}
		select {
		case <-e.newer:
			e = sess.events.newest.Load()
		case <-sess.ctx.Done():
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}
