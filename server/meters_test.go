package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/operate"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// scrape reads what is measured, a value a series.
func scrape(t *testing.T, m *operate.Metrics) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	values := map[string]float64{}
	for line := range strings.Lines(w.Body.String()) {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		values[line[:at]] = v
	}
	return values
}

// What sessions do is counted, and more of them make no more series.
func TestMeters(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	m := operate.NewMetrics("1.2")
	s := begin(t, decoding(servertest.OneFace{Before: func(f *pipeline.Frame) error {
		if f.Width == 320 {
			panic("made by the test")
		}
		return nil
	}}), func(c *Config) { c.Metrics, c.MaxSessions = m, 2 })
	servertest.WaitFor(t, "the server to be ready", func() bool { return scrape(t, m)["mindflow_ready"] == 1 })
	if v := scrape(t, m); v["mindflow_sessions_limit"] != 2 || v[`mindflow_frames_dropped_total{reason="stale"}`] != 0 {
		t.Errorf("before the first: %v", v)
	}
	one := func() {
		p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
		p.Stream(units)
		p.Label("labels", func(m pipeline.Message) bool { return m.Seq >= 5 })
		if v := scrape(t, m); v["mindflow_sessions"] != 1 {
			t.Errorf("%v sessions", v["mindflow_sessions"])
		}
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	one()
	v := scrape(t, m)
	for name, least := range map[string]float64{
		"mindflow_sessions_started_total": 1, `mindflow_sessions_ended_total{reason="deleted"}`: 1,
		`mindflow_ice_states_total{state="connected"}`: 1, "mindflow_media_received_bytes_total": 100,
		"mindflow_frames_received_total": 5, "mindflow_frames_decoded_total": 5, "mindflow_frames_analysed_total": 5,
		"mindflow_labels_sent_total": 5, "mindflow_frame_queue_age_seconds_count": 5,
		`mindflow_stage_duration_seconds_count{stage="decode"}`: 5,
		`mindflow_stage_duration_seconds_count{stage="total"}`:  5,
	} {
		if v[name] < least {
			t.Errorf("%s is %v, want %v or more", name, v[name], least)
		}
	}
	if v["mindflow_sessions"] != 0 {
		t.Errorf("%v sessions are left", v["mindflow_sessions"])
	}
	paths := 0.0
	for name, n := range v {
		if strings.HasPrefix(name, `mindflow_ice_paths_total{protocol="udp"`) {
			paths += n
		}
	}
	if paths != 1 {
		t.Errorf("%v ways were found", paths)
	}
	bad := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	bad.Hello()
	bad.Stream(testkit.TestSource(t, pipeline.VP8, 320, 240, 30))
	bad.Bye()
	servertest.WaitFor(t, "the session to end", func() bool { return s.Stats().Sessions == 0 })
	before := len(scrape(t, m))
	for range 3 {
		one()
	}
	if after := scrape(t, m); len(after) != before || after["mindflow_panics_recovered_total"] != 1 ||
		after[`mindflow_sessions_ended_total{reason="internal"}`] != 1 {
		t.Errorf("%d series became %d; %v panics", before, len(after), after["mindflow_panics_recovered_total"])
	}
}

// Each kind of refusal has a reason.
func TestRefusalsCounted(t *testing.T) {
	m := operate.NewMetrics("1.2")
	s := begin(t, idle(), func(c *Config) { c.Metrics, c.MaxSessions = m, 1 })
	s.call(
		t,
		call{
			"POST",
			"/whip",
			map[string]string{"Origin": "https://stranger.example", "Content-Type": offerType},
			servertest.Lines(servertest.Offer),
		},
	)
	s.call(t, call{"POST", "/whip", map[string]string{"Content-Type": offerType}, "no offer"})
	s.call(
		t,
		call{"POST", "/whip", map[string]string{"Content-Type": "text/plain"}, servertest.Lines(servertest.Offer)},
	)
	s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	s.refused(httptest.NewRequest("POST", "/whip", nil), errors.New("made by the test"))
	v := scrape(t, m)
	for reason, want := range map[string]float64{refusedOrigin: 1, refusedOffer: 2, refusedFull: 1, refusedInternal: 1,
		refusedDraining: 0} {
		if got := v[`mindflow_sessions_refused_total{reason="`+reason+`"}`]; got != want {
			t.Errorf("%v refused because of %s, want %v", got, reason, want)
		}
	}
}

// All families keep to Prometheus' rules for names, those of the ports too.
func TestFamiliesOfServer(t *testing.T) {
	m := operate.NewMetrics("1.2")
	s := begin(t, idle(), func(c *Config) { c.Metrics, c.MediaTCP, c.Turn = m, "127.0.0.1:0", "127.0.0.1:0" })
	s.call(t, offerCall("no offer"))
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	faults, err := promlint.New(w.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("%s: %s", f.Metric, f.Text)
	}
}

// A part that fell back is named in /readyz, which still reports ready, and is counted.
func TestDegraded(t *testing.T) {
	m := operate.NewMetrics("1.2")
	s := begin(t, idle(), func(c *Config) {
		c.Metrics = m
		c.Degraded = func() map[string]string { return map[string]string{"classifier": "the GPU failed; on the CPU"} }
	})
	servertest.WaitFor(t, "the server to be ready", func() bool { return s.cfg.Readiness.Report().Ready })
	if v := scrape(t, m); v[`mindflow_degraded{part="classifier"}`] != 1 || v["mindflow_ready"] != 1 {
		t.Errorf("degraded %v, ready %v", v[`mindflow_degraded{part="classifier"}`], v["mindflow_ready"])
	}
	res, body := s.call(t, call{"GET", "/readyz", nil, ""})
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), "the GPU failed; on the CPU") {
		t.Errorf("/readyz: %d %s", res.StatusCode, body)
	}
}
