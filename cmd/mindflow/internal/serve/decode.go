package serve

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server/operate"
)

// decoders opens the decoders of sessions.
type decoders struct {
	hardware  *avdec.Hardware // nil for the CPU
	maxPixels int
	log       *slog.Logger
	metrics   *operate.Metrics
}

// openDecoders tries the device once. A device that is named must be there.
func openDecoders(
	d settings.Decode, maxPixels int, held *heldLog, log *slog.Logger, m *operate.Metrics,
) (*decoders, error) {
	opened := &decoders{maxPixels: maxPixels, log: log, metrics: m}
	m.Errors.WithLabelValues(decodeDevice)
	if d.Device() == "" {
		return opened, nil
	}
	h, err := avdec.OpenHardware(d.Device())
	if err != nil && d.Auto() {
		held.info("video is decoded on the CPU", "why", err)
		return opened, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--decode %w", err)
	}
	for _, codec := range slices.Sorted(maps.Keys(h.Codecs())) {
		if why := h.Decodes(codec); why != nil {
			held.info("this codec is decoded on the CPU", "codec", codec, "why", why)
		} else {
			held.info("this codec is decoded on the graphics card", "codec", codec, "device", d.Device())
		}
	}
	opened.hardware = h
	return opened, nil
}

// decodeDevice is the label of the metric of errors for a device that decodes.
const decodeDevice = "decode_device"

// decoder is a session.Engine's OpenDecoder.
func (d *decoders) decoder(codec pipeline.Codec) (pipeline.Decoder, error) {
	if d.hardware == nil {
		return avdec.Open(codec, d.maxPixels)
	}
	return avdec.OpenOn(d.hardware, codec, d.maxPixels, func(why error) {
		d.metrics.Errors.WithLabelValues(decodeDevice).Inc()
		d.log.Warn("a session's video is decoded on the CPU from its next key frame on, as the graphics card failed",
			"codec", codec, "err", why)
	})
}

func (d *decoders) close() {
	if d.hardware != nil {
		d.hardware.Close()
	}
}
