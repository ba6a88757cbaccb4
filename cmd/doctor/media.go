package doctor

import (
	"bytes"
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

// encoder codes a grey picture, as mindflow camera --publish and loadtest do, and decodes it again.
func encoder() Result {
	const check, cure = "encoder VP8", "install your system's libvpx (on Debian 12: apt install --reinstall libvpx7)"
	unit, err := encode()
	if err == nil {
		err = decode(pipeline.VP8, hex.EncodeToString(unit), avdec.DefaultMaxPixels)
	}
	if err != nil {
		return failed(check, fmt.Errorf("libvpx %s: %w", vpx.Version(), err), cure)
	}
	return ok(check, "libvpx "+vpx.Version()+" encodes a test picture")
}

func encode() (unit []byte, err error) {
	const side = 64
	grey := bytes.Repeat([]byte{126}, side*side)
	e, err := vpx.Open(side, side, vpx.MinBitrate)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	f := pipeline.Frame{Width: side, Height: side, Y: grey, U: grey[:side*side/4], V: grey[:side*side/4], YStride: side, CStride: side / 2}
	u, err := e.Encode(&f, true)
	return bytes.Clone(u.Data), err
}

// openCV writes a video. All else that we take from it is part of every installation.
func openCV() Result {
	const check = "OpenCV"
	if err := vision.TryRecording(); err != nil {
		return Result{check, Warning, fmt.Sprintf("OpenCV %s cannot write videos: %s", vision.Version(), strings.ReplaceAll(err.Error(), "\n", ", ")),
			"only mindflow video --annotate needs that; use an OpenCV that was built with FFmpeg (on Debian 12: apt install libopencv-videoio406)"}
	}
	return ok(check, vision.Version()+" writes a test video")
}

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
