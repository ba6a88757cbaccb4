package server

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"go.uber.org/goleak"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
	"mindflow/server/whipclient"
)

func TestEnds(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	const short = 300 * time.Millisecond
	t.Run("never connected", func(t *testing.T) {
		s := begin(t, idle(), func(c *Config) { c.NoMedia = short })
		s.call(t, offerCall(lines(offerText)))
		waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
	})
	t.Run("no media", func(t *testing.T) {
		s := begin(t, decoding(oneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.hello()
		for _, u := range units[:3] {
			if err := p.WriteUnit(u); err != nil {
				t.Fatal(err)
			}
		}
		p.label("labels", first)
		s.only(t).soon(short)
		if why := p.bye(); why != "no-media" {
			t.Errorf("bye because of %q", why)
		}
		waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		noDecoders(t)
	})
	t.Run("paused for long", func(t *testing.T) {
		s := begin(t, decoding(oneFace{}), func(c *Config) { c.PausedMax = short })
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.publish(units)
		p.label("labels", first)
		p.request("pause")
		if why := p.bye(); why != "idle" {
			t.Errorf("bye because of %q", why)
		}
		waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
	})
	t.Run("paused and resumed in turn", func(t *testing.T) {
		s := begin(t, decoding(oneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.hello()
		s.only(t).soon(2 * short)
		turn := time.NewTicker(short / 3)
		defer turn.Stop()
		waitFor(t, "the session to end", func() bool {
			<-turn.C
			_, _ = p.Request("pause") // fails when the session is over
			_, _ = p.Request("resume")
			return s.Stats().Sessions == 0
		})
		if why := p.bye(); why != "no-media" {
			t.Errorf("bye because of %q", why)
		}
	})
	t.Run("too large", func(t *testing.T) {
		e := decoding(oneFace{})
		e.OpenDecoder = func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, 100*100) }
		s := begin(t, e, nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.hello()
		p.publish(units)
		if why := p.bye(); why != "too-large" {
			t.Errorf("bye because of %q", why)
		}
		waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		noDecoders(t)
	})
	t.Run("never reached", func(t *testing.T) {
		s := begin(t, idle(), func(c *Config) { c.NoMedia = time.Hour })
		ctx, cancel := context.WithCancel(t.Context())
		r := newRelay(t, s, func(_ int, toServer bool) bool {
			if toServer {
				cancel() // the handshake has begun
			}
			return true
		})
		_, err := whipclient.Dial(ctx, s.url("/whip"), whipclient.Options{Codec: pipeline.VP8, Client: r.client()})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("dial: %v", err)
		}
		if n := s.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	t.Run("client gone", func(t *testing.T) {
		s := begin(t, decoding(oneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.publish(units)
		p.label("labels", first)
		if err := p.Abort(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		noDecoders(t)
	})
	t.Run("network gone", func(t *testing.T) {
		var gone atomic.Bool
		s := begin(t, decoding(oneFace{}), nil)
		r := newRelay(t, s, func(int, bool) bool { return gone.Load() })
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.client()})
		p.publish(units)
		p.label("labels", first)
		gone.Store(true) // the bye is lost too
		s.only(t).soon(4 * short)
		waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		noDecoders(t)
	})
	t.Run("server stops", func(t *testing.T) {
		before := goleak.IgnoreCurrent()
		defer func() { noGoroutines(t, before) }()
		e := decoding(oneFace{})
		s, err := New(Config{Listen: "127.0.0.1:0", Media: "127.0.0.1:0", EndTime: patience}, e)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		c, err := whipclient.Dial(t.Context(), s.url("/whip"), whipclient.Options{Codec: pipeline.VP8})
		if err != nil {
			t.Fatal(err)
		}
		p := publisher{c, t}
		p.hello()
		p.publish(units)
		p.label("labels", first)
		stop()
		if why := p.bye(); why != "shutdown" {
			t.Errorf("bye because of %q", why)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := p.Abort(); err != nil {
			t.Error(err)
		}
		noDecoders(t)
	})
}

// What is over holds no picture, even where something still holds the session.
func TestEndedSessionHoldsNoPicture(t *testing.T) {
	s := begin(t, decoding(oneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.publish(testkit.TestSource(t, pipeline.VP8, 160, 120, 60))
	p.label("labels", first)
	sess := s.only(t)
	var frames weak.Pointer[pipeline.Mailbox]
	if !sess.do(func() { frames = weak.Make(sess.frames) }) {
		t.Fatal("the session ended before")
	}
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
	waitFor(t, "its pictures to be gone", func() bool {
		runtime.GC()
		return frames.Value() == nil
	})
	runtime.KeepAlive(sess)
}

func TestFaultEndsOneSession(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	big := testkit.TestSource(t, pipeline.VP8, 320, 240, 60)
	for name, before := range map[string]func(*pipeline.Frame) error{
		"panic": func(f *pipeline.Frame) error {
			if f.Width == 320 {
				panic("made by the test")
			}
			return nil
		},
		"error": func(f *pipeline.Frame) error {
			if f.Width == 320 {
				return errors.New("made by the test")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, decoding(oneFace{before: before}), nil)
			good := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
			good.publish(units)
			good.label("labels", first)
			bad := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
			bad.hello()
			bad.publish(big)
			if why := bad.bye(); why != "internal" {
				t.Errorf("bye because of %q", why)
			}
			waitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 1 })
			if got := s.Stats().Panics; (name == "panic") != (got == 1) {
				t.Errorf("%d panics", got)
			}
			seen := good.label("labels of the other", first)
			good.label("more of them", func(m pipeline.Message) bool { return m.Seq > seen.Seq+5 })
		})
	}
}
