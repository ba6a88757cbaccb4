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
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func TestEnds(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	const short = 300 * time.Millisecond
	t.Run("never connected", func(t *testing.T) {
		s := begin(t, idle(), func(c *Config) { c.NoMedia = short })
		s.call(t, offerCall(servertest.Lines(servertest.Offer)))
		servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
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
		servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		servertest.NoDecoders(t)
	})
	t.Run("paused for long", func(t *testing.T) {
		s := begin(t, decoding(servertest.OneFace{}), func(c *Config) { c.PausedMax = short })
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Stream(units)
		p.Label("labels", servertest.Any)
		p.Ask("pause")
		if why := p.Bye(); why != "idle" {
			t.Errorf("bye because of %q", why)
		}
		servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
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
			return s.Stats().Sessions == 0
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
		servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		servertest.NoDecoders(t)
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
		_, err := whipclient.Dial(ctx, s.url("/whip"), whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("dial: %v", err)
		}
		if n := s.Stats().Sessions; n != 0 {
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
		servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
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
		servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
		servertest.NoDecoders(t)
	})
	t.Run("server stops", func(t *testing.T) {
		before := goleak.IgnoreCurrent()
		defer func() { servertest.NoGoroutines(t, before) }()
		e := decoding(servertest.OneFace{})
		s, err := New(Config{Listen: "127.0.0.1:0", Media: "127.0.0.1:0", EndTime: servertest.Patience}, e)
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
		p := servertest.Publisher{Client: c, T: t}
		p.Hello()
		p.Stream(units)
		p.Label("labels", servertest.Any)
		stop()
		if why := p.Bye(); why != "shutdown" {
			t.Errorf("bye because of %q", why)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := p.Abort(); err != nil {
			t.Error(err)
		}
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
	servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
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
			servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 1 })
			if got := s.Stats().Panics; (name == "panic") != (got == 1) {
				t.Errorf("%d panics", got)
			}
			seen := good.Label("labels of the other", servertest.Any)
			good.Label("more of them", func(m pipeline.Message) bool { return m.Seq > seen.Seq+5 })
		})
	}
}

// soon has the session end when from now on it sends nothing for so long: to connect, a busy machine may need longer.
func (sess *session) soon(d time.Duration) {
	sess.do(func() {
		sess.terms.noMedia = d
		sess.heard.Store(time.Now().UnixNano())
		sess.checkIdle()
	})
}
