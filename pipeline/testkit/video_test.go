package testkit_test

import (
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

func TestStreams(t *testing.T) {
	const w, h, frames = 64, 48, 35
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.VP9, pipeline.H264, pipeline.AV1} {
		t.Run(string(codec), func(t *testing.T) {
			units := testkit.TestSource(t, codec, w, h, frames)
			if len(units) != frames {
				t.Fatalf("%d units, want %d", len(units), frames)
			}
			for i, u := range units {
				if want := uint32(i * testkit.Clock / 30); u.RTP != want {
					t.Fatalf("unit %d has time %d, want %d", i, u.RTP, want)
				}
				if want := i%30 == 0; u.Key != want {
					t.Fatalf("unit %d: key is %t, want %t", i, u.Key, want)
				}
			}
			if n := len(testkit.DecodeI420(t, codec, units)); n != frames*w*h*3/2 {
				t.Fatalf("ffmpeg decoded %d bytes, want %d", n, frames*w*h*3/2)
			}
		})
	}
}
