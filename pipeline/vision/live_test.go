package vision

import (
	"fmt"
	"os"
	"testing"
)

// TestMain fails the package when a test left something of ours open in OpenCV's memory.
func TestMain(m *testing.M) {
	code := m.Run()
	if n := Live(); code == 0 && n != 0 {
		fmt.Fprintf(os.Stderr, "%d pictures, recordings and cascades were not closed, or closed twice\n", n)
		code = 1
	}
	os.Exit(code)
}
