package pipeline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// The golden examples of the wire protocol, which the JavaScript tests read too, hold every field and no other, and
// encode to what was decoded.
func TestMessageGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "web", "testdata", "wire", "labels-*.json"))
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d golden files (%v), want at least 3", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			golden, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var m Message
			decoder := json.NewDecoder(bytes.NewReader(golden))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&m); err != nil {
				t.Fatal(err)
			}
			if m.V != Version {
				t.Errorf("version %d, want %d", m.V, Version)
			}
			again, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			var want, got any
			if err := json.Unmarshal(golden, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(again, &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("came out as %s", again)
			}
		})
	}
}

// An empty list is [], never null: pages loop over it.
func TestMessageEmptyLists(t *testing.T) {
	m := Message{V: Version, Dropped: map[string]uint64{}, Faces: NewAnalyzer(Analysis{}).labels}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("null")) {
		t.Errorf("null in %s", text)
	}
}
