package offer

import (
	"strings"
	"testing"

	"mindflow/pipeline"
)

func TestNewCodecsRefuses(t *testing.T) {
	for want, list := range map[string][]pipeline.Codec{
		`"MJPEG"`:            {pipeline.VP8, "MJPEG"},
		"VP8 is named twice": {pipeline.VP8, pipeline.H264, pipeline.VP8},
	} {
		if _, err := NewCodecs(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v gave %v, want %s", list, err, want)
		}
	}
}
