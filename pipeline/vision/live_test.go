package vision

import (
	"testing"

	"mindflow/pipeline/testkit"
)

// TestMain fails the package when a test left something of ours open in OpenCV's memory.
func TestMain(m *testing.M) {
	testkit.MainLive(m, map[string]func() int64{"pictures, recordings and cascades": Live})
}
