package main

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/server/operate"
)

// decodeFlag says what decodes video: auto, cpu, cuda or cuda:N.
type decodeFlag string

func (d *decodeFlag) declare(fs *flag.FlagSet) {
	fs.StringVar((*string)(d), "decode", "auto", "what decodes video: cpu, cuda or cuda:N (an NVIDIA graphics card's decoder, through libavcodec), or auto: cuda where it is there and decodes a test picture of the codec, else cpu")
}

func (d decodeFlag) check() error {
	if d == "auto" || d == "cpu" || avdec.IsHardware(string(d)) {
		return nil
	}
	return fmt.Errorf("--decode %s: use auto, cpu, cuda or cuda:N", string(d))
}

// device is what to try, or "" for nothing.
func (d decodeFlag) device() string {
	switch d {
	case "cpu":
		return ""
	case "auto":
		return "cuda"
	}
	return string(d)
}

// decoders opens the decoders of sessions.
type decoders struct {
	hardware  *avdec.Hardware // nil for the CPU
	maxPixels int
	log       *slog.Logger
	metrics   *operate.Metrics
}

// open tries the device once. One that is named must be there.
func (d decodeFlag) open(maxPixels int, tell func(text string, args ...any), log *slog.Logger, m *operate.Metrics) (*decoders, error) {
	opened := &decoders{maxPixels: maxPixels, log: log, metrics: m}
	m.Errors.WithLabelValues(decodeDevice)
	if d.device() == "" {
		return opened, nil
	}
	h, err := avdec.OpenHardware(d.device())
	if err != nil && d == "auto" {
		tell("video is decoded on the CPU", "why", err)
		return opened, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--decode %w", err)
	}
	for _, codec := range slices.Sorted(maps.Keys(h.Codecs())) {
		if why := h.Decodes(codec); why != nil {
			tell("this codec is decoded on the CPU", "codec", codec, "why", why)
		} else {
			tell("this codec is decoded on the graphics card", "codec", codec, "device", d.device())
		}
	}
	opened.hardware = h
	return opened, nil
}

// decodeDevice is the part that errors of a device that decodes are counted under.
const decodeDevice = "decode_device"

// decoder is a server.Engine's OpenDecoder.
func (d *decoders) decoder(codec pipeline.Codec) (pipeline.Decoder, error) {
	if d.hardware == nil {
		return avdec.Open(codec, d.maxPixels)
	}
	return avdec.OpenOn(d.hardware, codec, d.maxPixels, func(why error) {
		d.metrics.Errors.WithLabelValues(decodeDevice).Inc()
		d.log.Warn("a session's video is decoded on the CPU from its next key frame on, as the graphics card failed", "codec", codec, "err", why)
	})
}

func (d *decoders) close() {
	if d.hardware != nil {
		d.hardware.Close()
	}
}
