package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"mindflow/server/session"
)

const (
	eventDeadline = 10 * time.Second
	eventBuffer   = 64 << 10 // bytes of labels that wait in the kernel for a slow reader
	retryAfter    = 1000     // milliseconds until a disconnected reader reconnects
)

// streamLabels answers with server-sent events (HTML standard, section 9.2): the messages of the data channel, for
// publishers that open none.
func (s *Server) streamLabels(w http.ResponseWriter, r *http.Request, v visitor) error {
	lastSeen := r.Header.Get("Last-Event-ID")
	sess, err := s.find(r, v)
	if err != nil && lastSeen != "" { // tells a reader that reconnects too late to stay away
		return noContent(w)
	}
	if err != nil {
		return err
	}
	if !sess.Events().Enter() {
		return newProblem(http.StatusServiceUnavailable, "this session's labels have too many readers").
			with("Retry-After", "10")
	}
	defer sess.Events().Leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would buffer events
	if r.Method == http.MethodHead {
		return nil
	}
	out := &eventWriter{w: w, out: http.NewResponseController(w), ended: sess.Context()}
	if err := out.out.SetReadDeadline(time.Time{}); err != nil { // the server's deadline would end the stream
		return fmt.Errorf("set deadline: %w", err)
	}
	defer context.AfterFunc(sess.Context(), out.hurry)()
	s.writeEvents(r.Context(), sess, out, lastSeen)
	return nil
}

// writeEvents writes labels until the session ends or the reader disconnects. lastSeen is the reader's Last-Event-ID.
func (s *Server) writeEvents(reader context.Context, sess *hosted, out *eventWriter, lastSeen string) {
	id, err := strconv.ParseUint(lastSeen, 10, 64)
	missed, seen := sess.Events().Resume(id, err == nil)
	fmt.Fprintf(out, "retry: %d\n\n", retryAfter)
	out.control("hello", sess.Hello)
	label := func(e session.Event) {
		if out.label(e) {
			s.metrics.Events.Inc()
		}
	}
	for _, e := range missed {
		label(e)
	}
	beat := s.cfg.timing.Heartbeat
	idle := time.NewTimer(beat)
	defer idle.Stop()
	draining := s.draining
	for out.flush() == nil {
		e, ok, newer := sess.Events().Newest(seen)
		if ok {
			label(e)
			seen = e.Seq
			idle.Reset(beat)
			continue
		}
		select {
		case <-newer:
		case <-idle.C: // a comment, so that no proxy takes the silence of a pause for the end
			fmt.Fprint(out, ":\n\n")
			idle.Reset(beat)
		case <-draining:
			draining = nil
			out.bye(session.EndDraining)
		case <-sess.Context().Done():
			out.bye(sess.Reason())
			_ = out.flush() // a reader that has disconnected needs no bye
			return
		case <-reader.Done():
			return
		}
	}
}

// eventWriter writes events. It writes nothing after its first error. A reader that takes nothing for eventDeadline is
// disconnected, at the end of the session sooner.
type eventWriter struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	ended context.Context
	err   error
}

func (o *eventWriter) Write(text []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	if o.err = o.out.SetWriteDeadline(time.Now().Add(eventDeadline)); o.err != nil {
		return 0, o.err
	}
	if o.ended.Err() != nil { // hurry may have been called before
		o.hurry()
	}
	n, err := o.w.Write(text)
	o.err = err
	return n, err
}

// hurry is called when the session ends, from a goroutine of its own.
func (o *eventWriter) hurry() {
	_ = o.out.SetWriteDeadline(time.Now().Add(session.ByePatience)) // fails when the reader has disconnected
}

// label reports whether the event was written.
func (o *eventWriter) label(e session.Event) bool {
	_, err := fmt.Fprintf(o, "id: %d\ndata: %s\n\n", e.Seq, e.Text)
	return err == nil
}

func (o *eventWriter) bye(why session.Reason) {
	o.control("bye", func() ([]byte, error) { return session.Bye(why) })
}

// control writes a message of the control channel.
func (o *eventWriter) control(kind string, message func() ([]byte, error)) {
	text, err := message()
	if err != nil {
		o.err = err
		return
	}
	fmt.Fprintf(o, "event: %s\ndata: %s\n\n", kind, text)
}

func (o *eventWriter) flush() error {
	if o.err == nil {
		o.err = o.out.Flush()
	}
	return o.err
}

// limitWriteBuffer limits what the kernel buffers for a connection: with its default of megabytes a slow reader would
// be minutes behind before it skips a message.
func limitWriteBuffer(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if c, ok := c.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(eventBuffer) // without it the reader is served all the same
	}
	return ctx
}
