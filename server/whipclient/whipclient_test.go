package whipclient

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"mindflow/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDialRefused(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	var offer, kind, token string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		offer, kind, token = string(body), r.Header.Get("Content-Type"), r.Header.Get("Authorization")
		http.Error(w, "full", http.StatusServiceUnavailable)
	}))
	defer web.Close()
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.H264} {
		_, err := Dial(t.Context(), web.URL, Options{Codec: codec, Token: "secret"})
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || !strings.Contains(refused.Detail, "full") {
			t.Errorf("%s: %v", codec, err)
		}
		if kind != "application/sdp" || token != "Bearer secret" {
			t.Errorf("%s: sent type %q, authorization %q", codec, kind, token)
		}
		for _, want := range []string{string(codec) + "/90000", "a=sendonly", "webrtc-datachannel", "a=candidate", "a=setup:actpass"} {
			if !strings.Contains(offer, want) {
				t.Errorf("%s: the offer lacks %s", codec, want)
			}
		}
	}
	if _, err := Dial(t.Context(), web.URL, Options{Codec: "H265"}); err == nil || !strings.Contains(err.Error(), "use VP8 or H264") {
		t.Errorf("unknown codec: %v", err)
	}
	if _, err := Dial(t.Context(), "http://127.0.0.1:1/whip", Options{Codec: pipeline.VP8}); err == nil {
		t.Error("dialled a port where nobody listens")
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

func TestKeepNewest(t *testing.T) {
	queue := make(chan int, 2)
	for i := range 5 {
		keepNewest(queue, i)
	}
	if a, b := <-queue, <-queue; a != 3 || b != 4 {
		t.Errorf("kept %d, %d, want 3, 4", a, b)
	}
}
