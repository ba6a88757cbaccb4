package vision

import (
	"testing"
	"time"

	"mindflow/pipeline/avdec/avfile"
	"mindflow/pipeline/testkit"
)

var makeVideo, probe, readFile, moving, uneven = testkit.MakeVideo, testkit.Probe, testkit.ReadFile, testkit.Moving,
	testkit.Uneven

// times reads a whole video.
func times(t *testing.T, file string) (at []time.Duration, w, h int) {
	t.Helper()
	v, err := avfile.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	return testkit.FrameTimes(t, v.Next)
}
