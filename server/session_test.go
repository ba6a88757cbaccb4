package server

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/offer"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func TestLabelsComeBack(t *testing.T) {
	for _, codec := range offer.AllCodecs() {
		t.Run(string(codec), func(t *testing.T) {
			units := testkit.TestSource(t, codec, 320, 240, 30)
			s := begin(t, decoding(servertest.OneFace{}), nil)
			p := dial(t, s, whipclient.Options{Codec: codec})
			hello := p.Says("hello", func(c whipclient.Control) bool { return c.Type == "hello" })
			if hello.V != 1 || !strings.HasSuffix(p.Session(), hello.Session) || hello.Session == "" ||
				hello.Model.Name != "one-face" || !slices.Equal(hello.Model.Labels, []string{"neutral", "happy"}) ||
				hello.Model.Uncertain != 0.5 {
				t.Errorf("hello is %+v", hello)
			}
			// One unit at a time: each gets the labels of its own timestamp, whatever that is.
			timestamp := uint32(0xfffffff0)
			for i, u := range units {
				u.RTP = timestamp
				timestamp += 3000
				if err := p.WriteUnit(u); err != nil {
					t.Fatal(err)
				}
				m := p.Label("labels", servertest.Any)
				if m.RTP != u.RTP || m.Seq != uint64(i+1) || m.V != 1 || m.Width != 320 || m.Height != 240 ||
					len(m.Dropped) != 0 {
					t.Fatalf("unit %d at %d: %+v", i, u.RTP, m)
				}
				if len(m.Faces) != 1 || m.Faces[0].Label != "happy" || m.Faces[0].ID != 1 || m.MS.Total <= 0 {
					t.Fatalf("unit %d: faces %+v, times %+v", i, m.Faces, m.MS)
				}
			}
			if err := p.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.Stats(); got.Sessions != 0 || got.Panics != 0 {
				t.Errorf("after DELETE: %+v", got)
			}
			servertest.NoDecoders(t)
		})
	}
}

func TestTwoSessions(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	one := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	two := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	one.Stream(units)
	two.Stream(units)
	for _, p := range []servertest.Publisher{one, two} {
		last := p.Label("labels", servertest.Any)
		for range 20 {
			m := p.Label("labels", servertest.Any)
			if m.Seq <= last.Seq || m.RTP-last.RTP > 1<<31 {
				t.Fatalf("message %d at %d follows %d at %d", m.Seq, m.RTP, last.Seq, last.RTP)
			}
			last = m
		}
	}
	if n := s.Stats().Sessions; n != 2 {
		t.Errorf("%d sessions", n)
	}
	if err := one.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := two.Label("labels of the other", servertest.Any)
	two.Label("more of them", func(m pipeline.Message) bool { return m.Seq > seen.Seq+5 })
	if n := s.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions after one was deleted", n)
	}
}

func TestICERestart(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	for range 2 {
		before := testutil.ToFloat64(s.metrics.KeyframesAsked)
		if err := p.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		servertest.WaitFor(
			t,
			"a key frame to be asked for",
			func() bool { return testutil.ToFloat64(s.metrics.KeyframesAsked) > before },
		)
		seen := p.Label("labels after the restart", servertest.Any)
		p.Label("more of them", func(m pipeline.Message) bool { return m.Seq > seen.Seq+30 })
	}
}

func TestLossRepairedByKeyframe(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 320, 240, 90)
	var lose atomic.Bool
	s := begin(t, decoding(servertest.OneFace{}), nil)
	p := dial(
		t,
		s,
		whipclient.Options{
			Codec: pipeline.VP8,
			Drop:  func(*rtp.Packet) bool { return lose.CompareAndSwap(true, false) },
		},
	)
	for _, u := range units[:10] {
		if err := p.WriteUnit(u); err != nil {
			t.Fatal(err)
		}
		p.Label("labels", servertest.Any)
	}
	lose.Store(true)
	asked := false
	i := 10
	for ; !asked; i++ { // no unit here is a key unit: the server has to ask
		if i == 30 {
			i = 11
		}
		u := units[i]
		u.RTP = uint32(i) * 3000
		if err := p.WriteUnit(u); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.KeyframeRequests():
			asked = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	p.DrainLabels()
	key := units[30]
	key.RTP = 1 << 20
	if err := p.WriteUnit(key); err != nil {
		t.Fatal(err)
	}
	m := p.Label("labels of the key frame", func(m pipeline.Message) bool { return m.RTP == key.RTP })
	if m.Dropped["lost"] == 0 {
		t.Errorf("dropped is %v", m.Dropped)
	}
}
