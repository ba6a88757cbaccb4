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
