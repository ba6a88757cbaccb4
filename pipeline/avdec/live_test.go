package avdec

import (
	"fmt"
	"os"
	"testing"
)

// TestMain fails the package when a test left a decoder's memory in C.
func TestMain(m *testing.M) {
	code := m.Run()
	if n := Live(); code == 0 && n != 0 {
		fmt.Fprintf(os.Stderr, "%d decoders were not closed, or closed twice\n", n)
		code = 1
	}
	if n := LiveHardware(); code == 0 && n != 0 {
		fmt.Fprintf(os.Stderr, "%d devices were not closed, or closed twice\n", n)
		code = 1
	}
	os.Exit(code)
}
