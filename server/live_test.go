package server

import (
	"testing"

	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
)

// TestMain fails the package when a session left a decoder's memory in C.
func TestMain(m *testing.M) {
	testkit.MainLive(m, map[string]func() int64{"decoders": avdec.Live})
}
