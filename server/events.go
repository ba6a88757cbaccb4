package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"mindflow/pipeline"
)

const (
	maxReaders    = 8 // of one session's events
	eventDeadline = 10 * time.Second
	eventBuffer   = 64 << 10 // bytes of labels that wait in the kernel for a slow reader
	retryAfter    = 1000     // milliseconds until a reader that was cut off comes back
)

// streamLabels answers with server-sent events (HTML standard, section 9.2): the same messages as on
// the data channel, for publishers that open none.
func (s *Server) streamLabels(w http.ResponseWriter, r *http.Request, v visitor) error {
	lastSeen := r.Header.Get("Last-Event-ID")
	sess, err := s.find(r, v)
	if err != nil && lastSeen != "" { // a reader that comes back too late: this tells it to stay away
		return noContent(w)
	}
	if err != nil {
		return err
	}
	defer sess.events.readers.Add(-1)
	if sess.events.readers.Add(1) > maxReaders {
		return newProblem(http.StatusServiceUnavailable, "this session's labels have too many readers").with("Retry-After", "10")
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	if r.Method == http.MethodHead {
		return nil
	}
	out := &eventWriter{w: w, out: http.NewResponseController(w), ended: sess.ctx}
	if err := out.out.SetReadDeadline(time.Time{}); err != nil { // the server's would cut the stream
		return fmt.Errorf("set deadline: %w", err)
	}
	defer context.AfterFunc(sess.ctx, out.hurry)()
	follow(r.Context(), sess, out, lastSeen, s.cfg.Heartbeat)
	return nil
}

// follow writes labels until the session ends or the reader leaves. lastSeen is the reader's
// Last-Event-ID.
func follow(reader context.Context, sess *session, out *eventWriter, lastSeen string, beat time.Duration) {
	id, err := strconv.ParseUint(lastSeen, 10, 64)
	missed, seen := sess.events.resume(id, err == nil)
	fmt.Fprintf(out, "retry: %d\n\n", retryAfter)
	out.control("hello", sess.hello())
	label := func(e event) {
		if out.label(e) {
			sess.meters.Events.Inc()
		}
	}
	for _, e := range missed {
		label(e)
	}
	idle := time.NewTimer(beat)
	defer idle.Stop()
	draining := sess.draining
	for out.flush() == nil {
		e, ok, newer := sess.events.newest(seen)
		if ok {
			label(e)
			seen = e.seq
			idle.Reset(beat)
			continue
		}
		select {
		case <-newer:
		case <-idle.C: // so that nothing on the way takes the silence of a pause for the end
			fmt.Fprint(out, ":\n\n")
			idle.Reset(beat)
		case <-draining:
			draining = nil
			out.control("bye", reply{Type: "bye", Reason: string(endDraining)})
		case <-sess.ctx.Done():
			out.bye(sess.why())
			return
		case <-reader.Done():
			return
		}
	}
}

// eventWriter writes events. After its first error it writes no more. A reader that takes nothing for
// eventDeadline is cut off, at the end of the session sooner.
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
	if o.ended.Err() != nil { // hurry may have come before
		o.hurry()
	}
	n, err := o.w.Write(text)
	o.err = err
	return n, err
}

// hurry is called when the session ends, from a goroutine of its own.
func (o *eventWriter) hurry() {
	_ = o.out.SetWriteDeadline(time.Now().Add(byePatience)) // fails when the reader has left
}

// label says whether the event was written.
func (o *eventWriter) label(e event) bool {
	_, err := fmt.Fprintf(o, "id: %d\ndata: %s\n\n", e.seq, e.text)
	return err == nil
}

func (o *eventWriter) bye(why ended) {
	o.control("bye", reply{Type: "bye", Reason: string(why)})
	_ = o.flush() // a reader that is gone needs no bye
}

// control writes what the control channel would say to a publisher that has one.
func (o *eventWriter) control(kind string, r reply) {
	r.V = pipeline.Version
	text, err := json.Marshal(r)
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

// keepLittle limits what the kernel holds for a connection: with its own megabytes a slow reader would
// be minutes behind before it skips a message.
func keepLittle(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if c, ok := c.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(eventBuffer) // without it the reader is served all the same
	}
	return ctx
}
