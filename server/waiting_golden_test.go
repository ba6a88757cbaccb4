package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The golden examples of waiting, which the JavaScript tests read too, are what the server says.
func TestWaitingGolden(t *testing.T) {
	files, err := filepath.Glob("../web/testdata/wire/waiting-*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d golden files (%v)", len(files), err)
	}
	for _, name := range files {
		golden, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := struct {
			V int `json:"v"`
			Queued
		}{}
		decoder := json.NewDecoder(strings.NewReader(string(golden)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal(golden, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s came out as %s", name, again)
		}
	}
}
