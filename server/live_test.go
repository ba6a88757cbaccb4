package server

import (
	"fmt"
	"os"
	"testing"

	"mindflow/pipeline/avdec"
)

// TestMain fails the package when a session left a decoder's memory in C.
func TestMain(m *testing.M) {
	code := m.Run()
	if n := avdec.Live(); code == 0 && n != 0 {
		fmt.Fprintf(os.Stderr, "%d decoders were not closed, or closed twice\n", n)
		code = 1
	}
	os.Exit(code)
}
