package server

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
)

// FuzzOffer feeds what a stranger can post to the parser and, when it passes, to Pion.
func FuzzOffer(f *testing.F) {
	f.Add(lines(offerText))
	f.Add(lines(strings.Replace(offerText, "a=mid:1\n", "a=mid:1\na=simulcast:send h;;l\n", 1)))
	f.Add("v=0\r\n")
	log := slog.New(slog.DiscardHandler)
	var logs logging.LoggerFactory = pionLogs{log}
	mux, err := listenMedia("127.0.0.1:0", logs)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = mux.Close() })
	all, err := newCodecs(nil)
	if err != nil {
		f.Fatal(err)
	}
	api, err := newAPI(mux, all, logs)
	if err != nil {
		f.Fatal(err)
	}
	engine := idle()
	f.Fuzz(func(t *testing.T, body string) {
		offer, err := parseOffer([]byte(body), all)
		if err != nil {
			return
		}
		var faults atomic.Uint64
		s, err := newSession(t.Context(), newID(), api, &engine, terms{all, time.Minute, time.Minute}, log, &faults)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := s.accept(t.Context(), offer)
		s.end(endClosed)
		s.release()
		if faults.Load() > 0 {
			t.Error("panic in negotiation")
		}
		if err == nil && !strings.HasPrefix(answer, "v=0\r\n") {
			t.Errorf("answer %q", answer)
		}
	})
}

func FuzzRequest(f *testing.F) {
	for _, seed := range []string{`{"v":1,"type":"pause","id":1}`, `{"v":1,"id":{}}`, `[]`, `{"v":"1"}`, `null`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, bad := parseRequest(data)
		if bad == nil && (r.V != 1 || r.ID == nil) {
			t.Errorf("%q is taken for a request", data)
		}
		if bad != nil && (bad.Code == "" || bad.Message == "") {
			t.Errorf("%q is refused without a reason", data)
		}
	})
}
