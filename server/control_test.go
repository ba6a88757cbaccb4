package server

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

func TestControlRefusals(t *testing.T) {
	s := begin(t, idle(), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	none := int64(-1)
	for _, row := range []struct {
		text string
		id   int64
		code string
	}{
		{`{"v":1,"type":"dance","id":7}`, 7, "unknown-type"},
		{`{"v":2,"type":"pause","id":8}`, 8, "bad-version"},
		{`{"v":1,"type":"pause"}`, none, "bad-message"},
		{`{"v":1,"type":"pause","id":"a"}`, none, "bad-message"},
		{`{"v":1,"type":"pause","id":{"deep":1}}`, none, "bad-message"},
		{`pause`, none, "bad-message"},
		{`{"v":1,"type":"` + strings.Repeat("x", maxRequest) + `"}`, none, "too-large"},
	} {
		if err := p.SendControl(row.text); err != nil {
			t.Fatal(err)
		}
		c := p.says("a refusal", func(c whipclient.Control) bool { return c.Type == "error" })
		id := none
		if c.ID != nil {
			id = *c.ID
		}
		if c.Code != row.code || id != row.id || c.V != 1 || c.Message == "" {
			t.Errorf("%.40s: answer %+v about %d, want %s about %d", row.text, c, id, row.code, row.id)
		}
	}
	for range 3 * requestBurst {
		if err := p.SendControl(`{"v":1,"type":"resume","id":9}`); err != nil {
			t.Fatal(err)
		}
	}
	p.says("a limit", func(c whipclient.Control) bool { return c.Code == "too-many" && *c.ID == 9 })
}

// TestWireExamples reads the protocol's examples, which the page's tests read too.
func TestWireExamples(t *testing.T) {
	const dir = "../web/testdata/wire/"
	for _, kind := range []string{"pause", "resume"} {
		data, err := os.ReadFile(dir + "control-" + kind + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if r, bad := parseRequest(data); bad != nil || r.Type != kind {
			t.Errorf("%s is read as %+v, %+v", data, r, bad)
		}
	}
	for _, kind := range []string{"hello", "ok", "error", "bye"} {
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
