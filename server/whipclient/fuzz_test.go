package whipclient

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"mindflow/pipeline"
)

// FuzzSaid reads what a server says: labels, control messages and refusals. A client meets servers that are not ours,
// and shows their words on a terminal.
func FuzzSaid(f *testing.F) {
	const folder = "../../web/testdata/wire"
	for _, pattern := range []string{"*.json", "invalid/*.json"} {
		examples, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(examples) == 0 {
			f.Fatalf("no examples in %s: %v", folder, err)
		}
		for _, path := range examples {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, "5")
		}
	}
	f.Add(
		[]byte(`{"title":"Too many sessions","status":503,"detail":"all places are taken\u001b[2J"}`),
		"Wed, 21 Oct 2099 07:28:00 GMT",
	)
	f.Add(
		[]byte("retry: 1000\n\nevent: hello\ndata: {}\n\nid: 7\ndata: {\"v\":1,\"seq\":7,\ndata: \"faces\":[]}\n\n"),
		"",
	)
	f.Add([]byte("\x1b]0;title\x07 \u202e"), "-99999999999999999999")
	f.Fuzz(func(t *testing.T, data []byte, retry string) {
		c := &Client{
			labels:   make(chan pipeline.Message, labelQueue),
			controls: make(chan Control, controlQueue),
			fallback: fallback{heard: make(chan struct{}, 1)},
		}
		for range labelQueue + 1 { // one more than there is place for
			c.take(data, false)
			c.say(data)
		}
		if valid := json.Valid(data); len(c.labels) > 0 && !valid || len(c.controls) > 0 && !valid {
			t.Errorf("%q is taken for a message", data)
		}
		_ = readEvents(bytes.NewReader(data), func(data []byte) { c.take(data, true) })
		for len(c.labels) > 0 {
			if _, err := json.Marshal(<-c.labels); err != nil { // as camera --json does
				t.Errorf("%q is read and cannot be written: %v", data, err)
			}
		}
		for _, kind := range []string{"application/problem+json", "text/plain", ""} {
			e := refused(
				&http.Response{StatusCode: 503, Header: http.Header{"Content-Type": {kind}, "Retry-After": {retry}}},
				data,
			)
			if e.RetryAfter < 0 || e.RetryAfter > 24*time.Hour {
				t.Errorf("it asks to wait for %v", e.RetryAfter)
			}
			if text := e.Error(); strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("a terminal is shown %q", text)
			}
		}
	})
}
