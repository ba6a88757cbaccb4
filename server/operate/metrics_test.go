package operate

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// used is a Metrics in which every family has something to tell.
func used(t *testing.T) *Metrics {
	t.Helper()
	m := NewMetrics("1.2")
	m.Sessions.Inc()
	m.SessionsLimit.Set(16)
	m.Ready.Set(1)
	m.Started.Inc()
	m.Ended.WithLabelValues("deleted").Inc()
	m.Refused.WithLabelValues("full").Inc()
	m.ICE.WithLabelValues("connected").Inc()
	m.Paths.WithLabelValues("udp", "host").Inc()
	m.Dropped.WithLabelValues("stale").Inc()
	m.Labels.Inc()
	m.KeyframesAsked.Inc()
	m.Repairs.Add(3)
	m.Errors.WithLabelValues("decode").Inc()
	m.Panics.Add(1)
	m.Received(1200, 1)
	m.Decoded(time.Millisecond)
	m.QueueAge(2 * time.Millisecond)
	m.Analysed(5.9, 12.4, 21.2)
	m.Batch(3, 12*time.Millisecond, nil)
	m.Batch(2, 12*time.Millisecond, errors.New("made by the test"))
	m.CounterVecFunc("media_port_dropped_packets_total", "Packets that were no part of a session.", "reason",
		func() map[string]uint64 { return map[string]uint64{"unknown": 7} })
	m.GaugeVecFunc("c_objects", "Objects in C's memory.", "kind",
		func() map[string]uint64 { return map[string]uint64{"decoder": 0} })
	return m
}

// Every family keeps to Prometheus' rules for names, and says what was counted.
func TestFamilies(t *testing.T) {
	m := used(t)
	faults, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("%s: %s", f.Metric, f.Text)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`mindflow_build_info{goversion="go`, `version="1.2"} 1`, "mindflow_sessions 1\n",
		`mindflow_sessions_ended_total{reason="deleted"} 1`,
		"mindflow_media_received_bytes_total 1200", "mindflow_frames_received_total 1",
		"mindflow_frames_decoded_total 1",
		`mindflow_frame_queue_age_seconds_bucket{le="0.0025"} 1`,
		`mindflow_stage_duration_seconds_sum{stage="classify"} 0.0124`,
		`mindflow_stage_duration_seconds_count{stage="decode"} 1`,
		`mindflow_stage_duration_seconds_count{stage="total"} 1`,
		`mindflow_batch_faces_bucket{le="2"} 1`, "mindflow_batch_errors_total 1", "mindflow_panics_recovered_total 1",
		`mindflow_media_port_dropped_packets_total{reason="unknown"} 7`, `mindflow_c_objects{kind="decoder"} 0`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%q is not in the scrape", want)
		}
	}
}

// What every frame does takes no memory.
func TestFramesAllocateNothing(t *testing.T) {
	m := NewMetrics("1.2")
	dropped := m.Dropped.WithLabelValues("stale")
	n := testing.AllocsPerRun(1000, func() {
		m.Received(1200, 1)
		m.Decoded(time.Millisecond)
		m.QueueAge(time.Millisecond)
		m.Analysed(5.9, 12.4, 21.2)
		m.Batch(3, 12*time.Millisecond, nil)
		m.Labels.Inc()
		dropped.Add(2)
	})
	if n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	m := NewMetrics("1.2")
	b.ReportAllocs()
	for b.Loop() {
		m.Received(1200, 1)
		m.Decoded(time.Millisecond)
		m.QueueAge(time.Millisecond)
		m.Analysed(5.9, 12.4, 21.2)
		m.Batch(3, 12*time.Millisecond, nil)
		m.Labels.Inc()
	}
}
