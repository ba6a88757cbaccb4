package models

import (
	"os"
	"strings"
	"testing"
)

// What README.md shows of an entry is one, but for its sum.
func TestReadmeEntry(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(text), "```json\n")
	example, _, closed := strings.Cut(example, "```")
	if !found || !closed {
		t.Fatal("README.md shows no entry")
	}
	e, err := ParseEntry([]byte(strings.Replace(example, "what sha256sum says", strings.Repeat("0", 64), 1)))
	if err != nil || e.Decoder != "plain" {
		t.Errorf("%+v: %v", e, err)
	}
}
