package session

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func TestEnds(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	const short = 300 * time.Millisecond
	t.Run("never connected", func(t *testing.T) {
		s := begin(t, idle(), func(c *Config) { c.Timing.NoMedia = short })
		s.silent(t)
		s.ended(t)
	})
	t.Run("no media", func(t *testing.T) {
		s := begin(t, decoding(servertest.OneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Hello()
		for _, u := range units[:3] {
			if err := p.WriteUnit(u); err != nil {
				t.Fatal(err)
			}
		}
		p.Label("labels", servertest.Any)
		s.only(t).soon(short)
		if why := p.Bye(); why != "no-media" {
			t.Errorf("bye because of %q", why)
		}
		s.ended(t)
		servertest.NoDecoders(t)
	})
	t.Run("paused for long", func(t *testing.T) {
		s := begin(t, decoding(servertest.OneFace{}), func(c *Config) { c.Timing.PausedMax = short })
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Stream(units)
		p.Label("labels", servertest.Any)
		p.Ask("pause")
		if why := p.Bye(); why != "idle" {
			t.Errorf("bye because of %q", why)
		}
		s.ended(t)
	})
	t.Run("paused and resumed in turn", func(t *testing.T) {
		s := begin(t, decoding(servertest.OneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Hello()
		s.only(t).soon(2 * short)
		turn := time.NewTicker(short / 3)
		defer turn.Stop()
		servertest.WaitFor(t, "the session to end", func() bool {
			<-turn.C
			_, _ = p.Request("pause") // fails when the session is over
			_, _ = p.Request("resume")
			return len(s.live()) == 0
		})
		if why := p.Bye(); why != "no-media" {
			t.Errorf("bye because of %q", why)
		}
	})
	t.Run("too large", func(t *testing.T) {
		e := decoding(servertest.OneFace{})
		e.OpenDecoder = func(c pipeline.Codec) (pipeline.Decoder, error) { return avdec.Open(c, 100*100) }
		s := begin(t, e, nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Hello()
		p.Stream(units)
		if why := p.Bye(); why != "too-large" {
			t.Errorf("bye because of %q", why)
		}
		s.ended(t)
		servertest.NoDecoders(t)
	})
	t.Run("never reached", func(t *testing.T) {
		s := begin(t, idle(), func(c *Config) { c.Timing.NoMedia = time.Hour })
		ctx, cancel := context.WithCancel(t.Context())
		r := newRelay(t, s, func(_ int, toServer bool) bool {
			if toServer {
				cancel() // the handshake has begun
			}
			return true
		})
		_, err := whipclient.Dial(ctx, s.url, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("dial: %v", err)
		}
		if n := len(s.live()); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	t.Run("client gone", func(t *testing.T) {
		s := begin(t, decoding(servertest.OneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Stream(units)
		p.Label("labels", servertest.Any)
		if err := p.Abort(); err != nil {
			t.Fatal(err)
		}
		s.ended(t)
		servertest.NoDecoders(t)
	})
	t.Run("network gone", func(t *testing.T) {
		var gone atomic.Bool
		s := begin(t, decoding(servertest.OneFace{}), nil)
		r := newRelay(t, s, func(int, bool) bool { return gone.Load() })
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
		p.Stream(units)
		p.Label("labels", servertest.Any)
		gone.Store(true) // the bye is lost too
		s.only(t).soon(4 * short)
		s.ended(t)
		servertest.NoDecoders(t)
	})
	t.Run("server stops", func(t *testing.T) {
		s := begin(t, decoding(servertest.OneFace{}), nil)
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Hello()
		p.Stream(units)
		p.Label("labels", servertest.Any)
		s.stop()
		if why := p.Bye(); why != "shutdown" {
			t.Errorf("bye because of %q", why)
		}
		s.ended(t)
		servertest.NoDecoders(t)
	})
}

// What is over holds no picture, even where something still holds the session.
func TestEndedSessionHoldsNoPicture(t *testing.T) {
	s := begin(t, decoding(servertest.OneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 60))
	p.Label("labels", servertest.Any)
	sess := s.only(t)
	var frames weak.Pointer[pipeline.Mailbox]
	if !sess.do(func() { frames = weak.Make(sess.frames) }) {
		t.Fatal("the session ended before")
	}
	if err := p.Abort(); err != nil {
		t.Fatal(err)
	}
	s.ended(t)
	servertest.WaitFor(t, "its pictures to be gone", func() bool {
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
			s := begin(t, decoding(servertest.OneFace{Before: before}), nil)
			good := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
			good.Stream(units)
			good.Label("labels", servertest.Any)
			bad := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
			bad.Hello()
			bad.Stream(big)
			if why := bad.Bye(); why != "internal" {
				t.Errorf("bye because of %q", why)
			}
			servertest.WaitFor(t, "the session to end", func() bool { return len(s.live()) == 1 })
			if got := s.cfg.Metrics.Panics.Load(); (name == "panic") != (got == 1) {
				t.Errorf("%d panics", got)
			}
			seen := good.Label("labels of the other", servertest.Any)
			good.Label("more of them", func(m pipeline.Message) bool { return m.Seq > seen.Seq+5 })
		})
	}
}
