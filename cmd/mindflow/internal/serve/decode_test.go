package serve

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server/operate"
)

// TestDecodeWithoutGPU: a named decoder that is absent is an error with cause and cure. With auto the CPU decodes, and
// the log has the cause.
func TestDecodeWithoutGPU(t *testing.T) {
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("there is a GPU of NVIDIA's")
	}
	var said strings.Builder
	var held heldLog
	log := slog.New(slog.NewTextHandler(&said, nil))
	if opened, err := openDecoders("cuda:1", avdec.DefaultMaxPixels, &held, log,
		operate.NewMetrics("test")); err == nil ||
		!strings.Contains(err.Error(), "--decode cuda: NVIDIA's driver") || !strings.Contains(err.Error(),
		"install the driver") {
		t.Error(opened, err)
	}
	for _, on := range []settings.Decode{"auto", "cpu"} {
		opened, err := openDecoders(on, avdec.DefaultMaxPixels, &held, log, operate.NewMetrics("test"))
		if err != nil {
			t.Fatal(err)
		}
		d, err := opened.decoder(pipeline.VP8)
		if err != nil {
			t.Fatal(err)
		}
		grey, err := avdec.Grey(pipeline.VP8)
		if err != nil {
			t.Fatal(err)
		}
		frames := 0
		if err := d.Decode(pipeline.Unit{Data: grey, Key: true}, func(*pipeline.Frame) { frames++ }); err != nil ||
			frames != 1 {
			t.Error(frames, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		opened.close()
	}
	held.writeTo(log)
	if n := strings.Count(said.String(), "video is decoded on the CPU"); n != 1 || !strings.Contains(said.String(),
		"libcuda.so.1") {
		t.Errorf("%d lines: %s", n, &said)
	}
}
