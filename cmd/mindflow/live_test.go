package main

import (
	"fmt"
	"os"
	"testing"

	"mindflow/pipeline/avdec"
	"mindflow/pipeline/avdec/avfile"
	"mindflow/pipeline/vision"
	"mindflow/pipeline/vpx"
)

// TestMain fails the package when a command left memory in C.
func TestMain(m *testing.M) {
	code := m.Run()
	for what, n := range map[string]int64{
		"decoders": avdec.Live(), "videos": avfile.Live(), "encoders": vpx.Live(), "pictures, recordings and cascades": vision.Live(),
	} {
		if code == 0 && n != 0 {
			fmt.Fprintf(os.Stderr, "%d %s were not closed, or closed twice\n", n, what)
			code = 1
		}
	}
	os.Exit(code)
}
