package avdec

import (
	"testing"

	"mindflow/pipeline/testkit"
)

// TestMain fails the package when a test left a decoder's memory in C.
func TestMain(m *testing.M) {
	testkit.MainLive(m, map[string]func() int64{"decoders": Live, "devices": LiveHardware})
}
