package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/operate"
	"mindflow/server/sdpfrag"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func TestPause(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	if c := p.Ask("pause"); c.Type != "ok" {
		t.Fatalf("pause: %+v", c)
	}
	sess := s.only(t)
	newest := func() uint64 { _, now := sess.Events().Resume(0, false); return now }
	seq := newest()
	servertest.WaitFor(t, "units to be dropped", func() bool { return sess.dropped[dropPaused].Load() > 20 })
	if now := newest(); now > seq+1 { // one frame was under way
		t.Errorf("%d messages while paused", now-seq)
	}
	p.DrainLabels()
	seq++
	if c := p.Ask("resume"); c.Type != "ok" {
		t.Fatalf("resume: %+v", c)
	}
	m := p.Label("labels after the pause", func(m pipeline.Message) bool { return m.Seq > seq })
	if m.Dropped["paused"] == 0 {
		t.Errorf("dropped is %v", m.Dropped)
	}
}

// Pion waits for the end of its callback with locks held that its methods take, so the callback calls none of them:
// here there is no connection.
func TestICECallbackAsksNothingOfPion(t *testing.T) {
	s := &Session{meters: newMeters(operate.NewMetrics("test")), ctx: t.Context(), inbox: make(chan func(), inboxSize)}
	for state := webrtc.ICEConnectionStateNew; state <= webrtc.ICEConnectionStateClosed; state++ {
		s.iceChanged(state)
	}
	if len(s.inbox) != 1 {
		t.Errorf("%d things for the control loop, want one: what is done on a new path", len(s.inbox))
	}
}

// TestKeyLimit ends a session that was sent as many records as its keys may encrypt: CVE-2026-26014, by which Pion
// draws the nonces of AES-GCM at random. The records that the client got are those that were counted, and none is a
// client's message.
func TestKeyLimit(t *testing.T) {
	const most = 60
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	var sealed atomic.Uint64
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) {
		c.Timing.MaxRecords, c.Timing.HintEvery = most, 50*time.Millisecond
	})
	r := newRelay(t, s, func(int, bool) bool { return false })
	r.Watch(func(p []byte, toServer bool) {
		if toServer || p[0] < 20 || p[0] > 63 {
			return
		}
		if binary.BigEndian.Uint16(p[3:]) > 0 {
			sealed.Add(1)
		} else if p[0] == 22 && p[13] == 1 {
			t.Error("the server sent a ClientHello")
		}
	})
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
	p.Hello()
	sess := s.only(t)
	p.Stream(units)
	if why := p.Bye(); why != "worn" {
		t.Errorf("bye %q", why)
	}
	s.ended(t)
	if sent := sess.peer.RecordsSent(); sent < most || sent > most+60 {
		t.Errorf("%d records were sent, the session should end after %d", sent, most)
	}
	servertest.WaitFor(t, "the records to arrive", func() bool { return sealed.Load() >= most })
}

// TestRestartsAreBounded restarts ICE without end.
func TestRestartsAreBounded(t *testing.T) {
	sess := begin(t, idle(), nil).silent(t)
	done, begun := 0, time.Now()
	for i := range 3 * restartBurst {
		f := sdpfrag.Fragment{Ufrag: fmt.Sprintf("again%d", i), Pwd: "bP+XJMM09aR8AiX1jdukzR6Y"}
		if a, err := sess.Patch(t.Context(), "*", f); err == nil && a.SDP != "" {
			done++
		} else if !errors.Is(err, ErrTooOften) {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if most := restartBurst + restartRate*int(1+time.Since(begun).Seconds()); done < restartBurst || done > most {
		t.Errorf("%d restarts; at most %d may be done", done, most)
	}
	sess.End(EndDeleted)
	<-sess.Done()
	if _, err := sess.Patch(t.Context(), "*", sdpfrag.Fragment{Ufrag: "late"}); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}
