package doctor

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/camera"
	"mindflow/pipeline/vision"
	"mindflow/pipeline/vpx"
)

// greyUnits are key units of a grey picture of 64 by 64 pixels, in hex, made with FFmpeg:
//
//	ffmpeg -f lavfi -i color=c=gray:s=64x64:r=1 -frames:v 1 -pix_fmt yuv420p -c:v ENCODER
//
// with libvpx, libvpx-vp9, libx264 (-profile:v baseline, its SEI removed) and libaom-av1. That a decoder can be opened is not
// enough: libavcodec's own for AV1 opens everywhere and decodes nothing without a GPU.
var greyUnits = []struct {
	codec pipeline.Codec
	unit  string
}{
	{pipeline.VP8, "f002009d012a4000400000470885858899848802020006703c42600ab220f73000fec3e000"},
	{pipeline.VP9, "824983420003f003f60038241c184a00003060000013b818000000"},
	{pipeline.H264, "000000016742c00ad90426c044000003000400000300083c4899200000000168cb83cb20000001658884057c98a000205b2727275d75d75d75d75d75d780"},
	{pipeline.AV1, "12000a0a00000002afff9fff3008320b1000c000000280000009ac"},
}

func decoders(maxPixels int, tell func(Result)) {
	version := avdec.Version()
	for _, g := range greyUnits {
		check := "decoder " + string(g.codec)
		err := decode(g.codec, g.unit, maxPixels)
		tooLarge := (*avdec.TooLargeError)(nil)
		switch {
		case err == nil:
			tell(ok(check, "libavcodec "+version+" decodes a test picture"))
		case errors.As(err, &tooLarge):
			tell(failed(check, err, "raise --max-pixels"))
		default:
			tell(failed(check, fmt.Errorf("libavcodec %s: %w", version, err),
				"install your system's full libavcodec (on Debian 12: apt install --reinstall libavcodec59 libdav1d6)"))
		}
	}
}

// decode decodes a unit and looks at the middle of the picture.
func decode(codec pipeline.Codec, unit string, maxPixels int) (err error) {
	data, err := hex.DecodeString(unit)
	if err != nil {
		return fmt.Errorf("read test picture: %w", err)
	}
	d, err := avdec.Open(codec, maxPixels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	frames := 0
	var luma byte
	err = d.Decode(pipeline.Unit{Key: true, Data: data}, func(f *pipeline.Frame) {
		frames++
		luma = f.Y[f.Height/2*f.YStride+f.Width/2]
	})
	switch {
	case err != nil:
		return err
	case frames != 1:
		return fmt.Errorf("a test unit gave %d pictures, want 1", frames)
	case luma < 120 || luma > 132: // 126 is grey in limited range
		return fmt.Errorf("a grey test picture has luma %d, want 126", luma)
	}
	return nil
}

func encoder() Result { return ok("encoder VP8", "libvpx "+vpx.Version()) }

func openCV() Result { return ok("OpenCV", vision.Version()) }

// cameras looks at this machine's own, without opening them. Only mindflow camera needs one, so nothing
// here fails.
func cameras(devices []camera.Device) Result {
	const check = "cameras"
	if len(devices) == 0 {
		return ok(check, "this machine has none (visitors bring their own; mindflow camera can do with --synthetic or --input FILE)")
	}
	var names []string
	for _, device := range devices {
		if err := syscall.Access(device.Path, readWrite); err != nil {
			return Result{check, Warning, fmt.Sprintf("%v: %v", device, err),
				"join the group that may open it (sudo usermod -aG video $USER, then log in again), or plug the camera in again"}
		}
		names = append(names, device.String())
	}
	return ok(check, strings.Join(names, ", "))
}

// readWrite is R_OK|W_OK of access(2).
const readWrite = 4 | 2
