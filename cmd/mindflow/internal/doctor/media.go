package doctor

import (
	"bytes"
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

func decoders(maxPixels int, report func(Result)) {
	version := avdec.Version()
	for _, codec := range []pipeline.Codec{pipeline.VP8, pipeline.VP9, pipeline.H264, pipeline.AV1} {
		check := "decoder " + string(codec)
		err := try(codec, nil, maxPixels)
		tooLarge := (*avdec.TooLargeError)(nil)
		switch {
		case err == nil:
			report(ok(check, "libavcodec "+version+" decodes a test picture"))
		case errors.As(err, &tooLarge):
			report(failed(check, err, "raise --max-pixels"))
		default:
			report(failed(check, fmt.Errorf("libavcodec %s: %w", version, err),
				"install your system's full libavcodec (on Debian 12: apt install --reinstall libavcodec59 libdav1d6)"))
		}
	}
}

// try decodes a grey picture and compares its middle. A nil unit is the codec's known test picture.
func try(codec pipeline.Codec, unit []byte, maxPixels int) (err error) {
	if unit == nil {
		if unit, err = avdec.Grey(codec); err != nil {
			return err
		}
	}
	d, err := avdec.Open(codec, maxPixels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Try(unit)
}

// encoder encodes a grey picture, as mindflow camera --publish and loadtest do, and decodes it.
func encoder() Result {
	const check, cure = "encoder VP8", "install your system's libvpx (on Debian 12: apt install --reinstall libvpx7)"
	unit, err := encode()
	if err == nil {
		err = try(pipeline.VP8, unit, avdec.DefaultMaxPixels)
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
	f := pipeline.Frame{Width: side, Height: side, Y: grey, U: grey[:side*side/4], V: grey[:side*side/4],
		YStride: side, CStride: side / 2}
	u, err := e.Encode(&f, true)
	return bytes.Clone(u.Data), err
}

// openCV writes a video. Everything else that we use of OpenCV is part of every installation.
func openCV() Result {
	const check = "OpenCV"
	if err := vision.TryRecording(); err != nil {
		return Result{check, Warning, fmt.Sprintf("OpenCV %s cannot write videos: %s", vision.Version(),
			strings.ReplaceAll(err.Error(), "\n", ", ")),
			"only mindflow video --annotate needs that; use an OpenCV that was built with FFmpeg (on Debian 12: apt " +
				"install libopencv-videoio406)"}
	}
	return ok(check, vision.Version()+" writes a test video")
}

// cameras checks the permissions of this machine's cameras. Only mindflow camera needs one, so no result is a failure.
func cameras(devices []camera.Device) Result {
	const check = "cameras"
	if len(devices) == 0 {
		return ok(check, "this machine has none (visitors bring their own; mindflow camera can do with --synthetic or "+
			"--input FILE)")
	}
	var names []string
	for _, device := range devices {
		if err := syscall.Access(device.Path, readWrite); err != nil {
			return Result{check, Warning, fmt.Sprintf("%v: %v", device, err),
				"join the group that may open it (sudo usermod -aG video $USER, then log in again), or plug the " +
					"camera in again"}
		}
		names = append(names, device.String())
	}
	return ok(check, strings.Join(names, ", "))
}

// readWrite is R_OK|W_OK of access(2).
const readWrite = 4 | 2
