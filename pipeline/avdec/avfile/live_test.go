package avfile

import (
	"fmt"
	"os"
	"testing"
)

// TestMain fails the package when a test left a video's memory in C.
func TestMain(m *testing.M) {
	code := m.Run()
	if n := Live(); code == 0 && n != 0 {
		fmt.Fprintf(os.Stderr, "%d videos were not closed\n", n)
		code = 1
	}
	os.Exit(code)
}
