package server

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/schedule"
	"mindflow/server/whipclient"
)

// oneFace finds one face in every frame and calls it happy: the tests here are of what goes on around
// the analysis. before, when set, runs first.
type oneFace struct {
	before func(*pipeline.Frame) error
	faces  int // instead of one
}

func (o oneFace) Detect(_ context.Context, dst []pipeline.Face, f *pipeline.Frame) ([]pipeline.Face, error) {
	if o.before != nil {
		if err := o.before(f); err != nil {
			return nil, err
		}
	}
	for range max(1, o.faces) {
		dst = append(dst, pipeline.Face{Box: pipeline.Box{X: 0.25, Y: 0.25, W: 0.5, H: 0.5}, Score: 0.9})
	}
	return dst, nil
}

func (oneFace) Classify(_ context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	for range crops {
		dst = append(dst, pipeline.Scores{Logits: []float32{0, 3}})
	}
	return dst, nil
}

// decoding is an engine with the real decoder.
func decoding(o oneFace) Engine {
	return Engine{
		OpenDecoder: func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, avdec.DefaultMaxPixels) },
		Analyses:    []pipeline.Analysis{{Detector: o, Classifier: o, Model: testModel(), MaxFaces: 50}},
		Scheduler:   schedule.New(1, schedule.Batching{}),
	}
}

func testModel() pipeline.Model {
	return pipeline.Model{
		Name: "one-face", Labels: []string{"neutral", "happy"}, Temperature: 1, Uncertain: 0.5,
		Input: pipeline.Input{Size: 8, Layout: pipeline.NCHW, Colour: pipeline.Grey, Channels: 1, Scale: 1, Std: [3]float32{1, 1, 1}},
		Crop:  &pipeline.CropRule{Scale: 1},
	}
}

// publisher is a client that publishes until the test ends.
type publisher struct {
	*whipclient.Client
	t testing.TB
}

func dial(t testing.TB, s *Server, o whipclient.Options) publisher {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := whipclient.Dial(ctx, s.url("/whip"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("close client: %v", err)
		}
	})
	return publisher{c, t}
}

// publish sends units in a loop until the test or the session ends.
func (p publisher) publish(units []pipeline.Unit) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Publish(ctx, units, true) }()
	p.t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
			p.t.Errorf("publish: %v", err)
		}
	})
}

// label waits for a message that fits.
func (p publisher) label(what string, fits func(pipeline.Message) bool) pipeline.Message {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case m := <-p.Labels():
			if fits(m) {
				return m
			}
		case <-p.Done():
			p.t.Fatalf("the session ended while waiting for %s", what)
		case <-timeout:
			p.t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

func first(pipeline.Message) bool { return true }

// says waits for a message of the server's on the control channel that fits.
func (p publisher) says(what string, fits func(whipclient.Control) bool) whipclient.Control {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case c := <-p.Controls():
			if fits(c) {
				return c
			}
		case <-timeout:
			p.t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

func (p publisher) request(kind string) whipclient.Control {
	p.t.Helper()
	id, err := p.Request(kind)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.says("the answer to "+kind, func(c whipclient.Control) bool { return c.ID != nil && *c.ID == id })
}

// hello waits until the control channel stands, without which there is no bye to hear.
func (p publisher) hello() {
	p.t.Helper()
	p.says("hello", func(c whipclient.Control) bool { return c.Type == "hello" })
}

func (p publisher) bye() string {
	p.t.Helper()
	return p.says("bye", func(c whipclient.Control) bool { return c.Type == "bye" }).Reason
}

// noDecoders checks that the decoders' C memory is free.
func noDecoders(t *testing.T) {
	t.Helper()
	waitFor(t, "decoders to close", func() bool { return avdec.Live() == 0 })
}

// soon has the session end when from now on it sends nothing for so long: to connect, a busy machine may need longer.
func (sess *session) soon(d time.Duration) {
	sess.do(func() {
		sess.terms.noMedia = d
		sess.heard.Store(time.Now().UnixNano())
		sess.checkIdle()
	})
}

func drainLabels(p publisher) {
	for {
		select {
		case <-p.Labels():
		default:
			return
		}
	}
}

// only gives the one session there is.
func (s *Server) only(t *testing.T) *session {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) != 1 {
		t.Fatalf("%d sessions", len(s.sessions))
	}
	for _, sess := range s.sessions {
		return sess
	}
	return nil
}
