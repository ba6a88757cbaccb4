package whipclient

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestDialRefused(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	var offer, kind string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		offer, kind = string(body), r.Header.Get("Content-Type")
		http.Error(w, "full", http.StatusServiceUnavailable)
	}))
	defer web.Close()
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264, pipeline.VP9, pipeline.AV1} {
		_, err := Dial(t.Context(), web.URL, Options{Codec: codec})
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable ||
			!strings.Contains(refused.Detail, "full") {
			t.Errorf("%s: %v", codec, err)
		}
		if kind != "application/sdp" {
			t.Errorf("%s: sent type %q", codec, kind)
		}
		for _, want := range []string{string(codec) + "/90000", "a=sendonly", "webrtc-datachannel", "a=candidate",
			"a=setup:actpass"} {
			if !strings.Contains(offer, want) {
				t.Errorf("%s: the offer lacks %s", codec, want)
			}
		}
	}
	if _, err := Dial(t.Context(), web.URL, Options{Codec: "H265"}); err == nil ||
		!strings.Contains(err.Error(), "use VP8, H264, VP9 or AV1") {
		t.Errorf("unknown codec: %v", err)
	}
	if _, err := Dial(t.Context(), "http://127.0.0.1:1/whip", Options{Codec: pipeline.VP8}); err == nil {
		t.Error("dialled a port where nobody listens")
	}
}

// A problem document's words are told, and how long the server asks to wait.
func TestRefusedError(t *testing.T) {
	for _, row := range []struct {
		kind, retry, body string
		want              string
		wait              time.Duration
	}{
		{"application/problem+json", "7", `{"detail":"the room is full"}`,
			"the server answered 503 Service Unavailable: the room is full", 7 * time.Second},
		{"application/problem+json; charset=utf-8", "", `{"title":"no"}`,
			`the server answered 503 Service Unavailable: {"title":"no"}`, 0},
		{"text/plain", "soon", "go away\n", "the server answered 503 Service Unavailable: go away", 0},
		{"", "-1", "", "the server answered 503 Service Unavailable", 0},
	} {
		res := &http.Response{
			StatusCode: 503,
			Header:     http.Header{"Content-Type": {row.kind}, "Retry-After": {row.retry}},
		}
		if err := refused(res, []byte(row.body)); err.Error() != row.want || err.RetryAfter != row.wait {
			t.Errorf("%q after %v, want %q after %v", err, err.RetryAfter, row.want, row.wait)
		}
	}
	now := time.Date(2025, 3, 9, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"Sun, 09 Mar 2025 12:01:30 GMT": 90 * time.Second,
		"Sun, 09 Mar 2025 11:00:00 GMT": 0, "99999999999": 24 * time.Hour,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%s is %v, want %v", value, got, want)
		}
	}
}

func TestStep(t *testing.T) {
	at := func(times ...uint32) (units []pipeline.Unit) {
		for _, rtp := range times {
			units = append(units, pipeline.Unit{RTP: rtp})
		}
		return units
	}
	for _, row := range []struct {
		name  string
		units []pipeline.Unit
		i     int
		want  uint32
	}{
		{"forward", at(0, 3000, 9000), 2, 6000},
		{"back to the first", at(0, 3000, 9000), 0, 3000},
		{"over the end of the clock", at(0xfffffff0, 0xb8), 1, 200},
		{"alone", at(7), 0, 3000},
	} {
		if got := step(row.units, row.i); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

// A stream outlasts the RTP clock, which begins anew after 13 hours and 15 minutes.
func TestDuration(t *testing.T) {
	for _, row := range []struct {
		ticks int64
		want  time.Duration
	}{
		{0, 0},
		{9, 100 * time.Microsecond},
		{3000, time.Second / 30},
		{1 << 32, 13*time.Hour + 15*time.Minute + 21*time.Second + 858844444},
		{365 * 24 * 3600 * clockRate, 365 * 24 * time.Hour},
	} {
		if got := duration(row.ticks); got != row.want {
			t.Errorf("%d ticks last %s, want %s", row.ticks, got, row.want)
		}
	}
}

func TestKeepNewest(t *testing.T) {
	queue := make(chan int, 2)
	for i := range 5 {
		keepNewest(queue, i)
	}
	if a, b := <-queue, <-queue; a != 3 || b != 4 {
		t.Errorf("kept %d, %d, want 3, 4", a, b)
	}
}
