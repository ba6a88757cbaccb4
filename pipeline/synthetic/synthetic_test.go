package synthetic

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

// A video has frames that differ, at its rate, and an end.
func TestVideo(t *testing.T) {
	v := NewVideo(64, 48, 10, 400*time.Millisecond)
	var before []byte
	for i := range 4 {
		f, at, err := v.Next()
		if err != nil || f.Width != 64 || f.Height != 48 || at != time.Duration(i)*100*time.Millisecond ||
			bytes.Equal(f.Y, before) {
			t.Fatalf("frame %d at %v: %v", i, at, err)
		}
		before = bytes.Clone(f.Y)
	}
	if _, _, err := v.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("the end is %v", err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
