package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

// Publisher is a client that publishes until the test ends.
type Publisher struct {
	*whipclient.Client
	T testing.TB
}

// Dial publishes at a WHIP address.
func Dial(t testing.TB, url string, o whipclient.Options) Publisher {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	c, err := whipclient.Dial(ctx, url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("close client: %v", err)
		}
	})
	return Publisher{c, t}
}

// Stream sends units in a loop until the test or the session ends.
func (p Publisher) Stream(units []pipeline.Unit) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Publish(ctx, units, true) }()
	p.T.Cleanup(func() {
		cancel()
		switch err := <-done; {
		case errors.Is(err, context.Canceled), errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		default:
			p.T.Errorf("publish: %v", err)
		}
	})
}

// WriteAt sends a unit as a frame of 30 a second, and returns its timestamp.
func (p Publisher) WriteAt(u pipeline.Unit, frame int) uint32 {
	p.T.Helper()
	u.RTP = uint32(frame) * 3000
	if err := p.WriteUnit(u); err != nil {
		p.T.Fatal(err)
	}
	return u.RTP
}

// Keyframe waits until the server requests a key frame, and sends it. Meanwhile it sends units that are none.
func (p Publisher) Keyframe(units []pipeline.Unit, frame int) (timestamp uint32) {
	p.T.Helper()
	deadline := time.Now().Add(Patience)
	for time.Now().Before(deadline) {
		select {
		case <-p.KeyframeRequests():
			return p.WriteAt(units[0], frame)
		case <-time.After(20 * time.Millisecond):
			p.WriteAt(units[1+frame%20], frame)
			frame++
		}
	}
	p.T.Fatalf("waited %s to be asked for a key frame", Patience)
	return 0
}

// Label waits for a message with labels that fits.
func (p Publisher) Label(what string, fits func(pipeline.Message) bool) pipeline.Message {
	p.T.Helper()
	timeout := time.After(Patience)
	for {
		select {
		case m := <-p.Labels():
			if fits(m) {
				return m
			}
		case <-p.Done():
			p.T.Fatalf("the session ended while waiting for %s", what)
		case <-timeout:
			p.T.Fatalf("waited %s for %s", Patience, what)
		}
	}
}

// Any fits every message.
func Any(pipeline.Message) bool { return true }

// DrainLabels discards the messages with labels that have come.
func (p Publisher) DrainLabels() {
	for {
		select {
		case <-p.Labels():
		default:
			return
		}
	}
}

// Says waits for a message of the server's on the control channel that fits.
func (p Publisher) Says(what string, fits func(whipclient.Control) bool) whipclient.Control {
	p.T.Helper()
	timeout := time.After(Patience)
	for {
		select {
		case c := <-p.Controls():
			if fits(c) {
				return c
			}
		case <-timeout:
			p.T.Fatalf("waited %s for %s", Patience, what)
		}
	}
}

// Ask sends a request and returns the answer.
func (p Publisher) Ask(kind string) whipclient.Control {
	p.T.Helper()
	id, err := p.Request(kind)
	if err != nil {
		p.T.Fatal(err)
	}
	return p.Says("the answer to "+kind, func(c whipclient.Control) bool { return c.ID != nil && *c.ID == id })
}

// AskOptions sends a request of the type options with fields, which begin with a comma, and returns the answer.
func (p Publisher) AskOptions(id int, fields string) whipclient.Control {
	p.T.Helper()
	if err := p.SendControl(fmt.Sprintf(`{"v":1,"type":"options","id":%d%s}`, id, fields)); err != nil {
		p.T.Fatal(err)
	}
	return p.Says("the answer", func(c whipclient.Control) bool { return c.ID != nil && *c.ID == int64(id) })
}

// Hello waits until the control channel is open, without which no bye is heard.
func (p Publisher) Hello() {
	p.T.Helper()
	p.Says("hello", func(c whipclient.Control) bool { return c.Type == "hello" })
}

// Bye waits for the end of the session and returns its reason.
func (p Publisher) Bye() string {
	p.T.Helper()
	return p.Says("bye", func(c whipclient.Control) bool { return c.Type == "bye" }).Reason
}
