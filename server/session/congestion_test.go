package session

import (
	"sync/atomic"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func TestLossRepairedByRetransmission(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 640, 480, 90)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	lost := new(atomic.Int64)
	r := newRelay(t, s, func(n int, toServer bool) bool {
		bad := toServer && n > 50 && n%20 == 0 // after the handshake, every twentieth
		if bad {
			lost.Add(1)
		}
		return bad
	})
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
	p.Stream(units)
	m := p.Label("three seconds of labels", func(m pipeline.Message) bool { return m.Seq > 80 })
	t.Logf("%d datagrams lost, dropped %v", lost.Load(), m.Dropped)
	if lost.Load() < 10 {
		t.Errorf("only %d datagrams were lost", lost.Load())
	}
	if m.Dropped["lost"] > 0 {
		t.Errorf("loss of 5%% was not repaired: %v", m.Dropped)
	}
}

// TestCongestion stops what goes to the client: labels must not pile up on the server.
func TestCongestion(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	var full atomic.Bool
	s := begin(t, decoding(servertest.OneFace{Faces: 50}), nil) // long messages fill the line sooner
	r := newRelay(t, s, func(_ int, toServer bool) bool { return !toServer && full.Load() })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	sess := s.only(t)
	full.Store(true)
	servertest.WaitFor(t, "labels to be held back", func() bool { return sess.dropped[dropCongested].Load() > 0 })
	if got := sess.labels.Load().BufferedAmount(); got > 2*maxBuffered {
		t.Errorf("%d bytes wait", got)
	}
	full.Store(false)
	p.Label("labels again", func(m pipeline.Message) bool { return m.Dropped["congested"] > 0 })
}

// A reader of events gets labels while the data channel is stuck.
func TestCongestedChannelLeavesEvents(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	var full atomic.Bool
	s := begin(t, decoding(servertest.OneFace{Faces: 50}), nil)
	r := newRelay(t, s, func(_ int, toServer bool) bool { return !toServer && full.Load() })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	sess := s.only(t)
	full.Store(true)
	if !sess.Events().Enter() {
		t.Fatal("no place for a reader")
	}
	defer sess.Events().Leave()
	servertest.WaitFor(t, "the channel to be full", func() bool { return congested(sess.labels.Load()) })
	_, seen := sess.Events().Resume(0, false)
	for stuck := seen; seen < stuck+30; {
		e, ok, newer := sess.Events().Newest(seen)
		if ok {
			seen = e.Seq
			continue
		}
		select {
		case <-newer:
		case <-time.After(servertest.Patience):
			t.Fatalf("waited %s for message %d", servertest.Patience, seen+1)
		}
	}
	if got := sess.labels.Load().BufferedAmount(); got > 2*maxBuffered {
		t.Errorf("%d bytes wait", got)
	}
	full.Store(false)
}
