package whipclient

import (
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
	f.Add([]byte(`{"title":"Too many sessions","status":503,"detail":"all places are taken\u001b[2J"}`), "Wed, 21 Oct 2099 07:28:00 GMT")
	f.Add([]byte("\x1b]0;title\x07 \u202e"), "-99999999999999999999")
	f.Fuzz(func(t *testing.T, data []byte, retry string) {
		labels, controls := make(chan pipeline.Message, labelQueue), make(chan Control, controlQueue)
		for range labelQueue + 1 { // one more than there is place for
			deliver(labels, data)
			deliver(controls, data)
		}
		if valid := json.Valid(data); len(labels) > 0 && !valid || len(controls) > 0 && !valid {
			t.Errorf("%q is taken for a message", data)
		}
		for len(labels) > 0 {
			if _, err := json.Marshal(<-labels); err != nil { // as camera --json does
				t.Errorf("%q is read and cannot be written: %v", data, err)
			}
		}
		for _, kind := range []string{"application/problem+json", "text/plain", ""} {
			e := refused(&http.Response{StatusCode: 503, Header: http.Header{"Content-Type": {kind}, "Retry-After": {retry}}}, data)
			if e.RetryAfter < 0 || e.RetryAfter > 24*time.Hour {
				t.Errorf("it asks to wait for %v", e.RetryAfter)
			}
			if text := e.Error(); strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("a terminal is shown %q", text)
			}
		}
	})
}
