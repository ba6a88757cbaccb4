package session

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// TestWireExamples reads the protocol's examples, which the page's tests read too.
func TestWireExamples(t *testing.T) {
	const dir = "../../web/testdata/wire/"
	for _, kind := range []string{"pause", "resume", "options"} {
		data, err := os.ReadFile(dir + "control-" + kind + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if r, bad := parseRequest(data); bad != nil || r.Type != kind {
			t.Errorf("%s is read as %+v, %+v", data, r, bad)
		}
	}
	for _, kind := range []string{"hello", "ok", "ok-options", "error", "bye", "hint", "hint-framerate", "hint-none"} {
		data, err := os.ReadFile(dir + "control-" + kind + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var r reply
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&r); err != nil {
			t.Errorf("%s: the server cannot say it: %v", data, err)
		}
		said, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(data, &a) != nil || json.Unmarshal(said, &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("the server says %s, the example is %s", said, data)
		}
	}
}

// TestParseRequest holds what web/PROTOCOL.md says of ids and names.
func TestParseRequest(t *testing.T) {
	for text, want := range map[string]string{
		`{"v":1,"type":"pause","id":0}`:                     "",
		`{"v":1,"type":"pause","id":9007199254740991}`:      "",
		`{"v":1,"type":"pause","id":9007199254740992}`:      "bad-message",
		`{"v":1,"type":"pause","id":-1}`:                    "bad-message",
		`{"v":1,"type":"pause","id":1.5}`:                   "bad-message",
		`{"v":1,"type":"pause","id":null}`:                  "bad-message",
		`{"v":1,"type":7,"id":1}`:                           "bad-message",
		`{"v":1,"type":"pause","ID":1}`:                     "bad-message",
		`{"V":1,"type":"pause","id":1}`:                     "bad-version",
		`{"v":null,"type":"pause","id":1}`:                  "bad-version",
		`{"v":1,"type":"pause","id":1,"id":2}`:              "bad-message",
		`{"v":1,"v":1,"type":"pause","id":1}`:               "bad-message",
		`{"v":1,"type":"options","id":1,"Model":"a"}`:       "", // an unknown field
		`{"v":1,"type":"options","id":1,"x":{"a":1,"a":2}}`: "",
	} {
		r, bad := parseRequest([]byte(text))
		switch {
		case bad == nil && (want != "" || r.ID == nil):
			t.Errorf("%s is taken for a request", text)
		case bad != nil && bad.Code != want:
			t.Errorf("%s is answered with %s (%s), want %q", text, bad.Code, bad.Message, want)
		case bad == nil && r.changes.model != nil:
			t.Errorf("%s changes the model", text)
		}
	}
}
