package avdec

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// The error about a missing device names the cause and the cure, and nothing is left open.
func TestOpenHardwareThatIsNotThere(t *testing.T) {
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("there is a GPU of NVIDIA's")
	}
	for name, c := range map[string]struct {
		kind string
		want []string
	}{
		"no driver": {"cuda",
			[]string{"cuda: NVIDIA's driver is not there", "libcuda.so.1", "install the driver",
				"or decode on the CPU"}},
		"unknown": {"abacus",
			[]string{"abacus: libavcodec " + Version() + " was built without it", "or decode on the CPU"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := OpenHardware(c.kind)
			var failed *HardwareError
			if !errors.As(err, &failed) {
				t.Fatal(h, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if n := LiveHardware(); n != 0 {
				t.Errorf("%d devices are open", n)
			}
		})
	}
}

func TestIsHardware(t *testing.T) {
	for name, want := range map[string]bool{"cuda": true, "cuda:0": true, "cuda:63": true, "cuda:64": false,
		"cuda:": false, "cuda:x": false, "vulkan": false, "": false} {
		if IsHardware(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestExplain(t *testing.T) {
	for said, want := range map[string]string{
		"Cannot load libcuda.so.1\nCould not dynamically load CUDA\n": "driver is not there",
		"Cannot load libnvcuvid.so.1\n":                               "NVIDIA_DRIVER_CAPABILITIES",

		"cu->cuInit(0) failed -> CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected": "sees no GPU",
		"cu->cuDeviceGet(..) failed -> CUDA_ERROR_INVALID_DEVICE: invalid device ordinal":  "no GPU of that number",

		"cu->cuInit(0) failed -> CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: bad \xff\n": "" +
			"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: bad ?",
		"": "Operation not permitted",
	} {
		if err := explain("cuda", "Operation not permitted", said); !strings.Contains(err.Error(), want) {
			t.Errorf("%q becomes %q, want %q", said, err, want)
		}
	}
}

// A device that decodes nothing counts as missing, and the error has libavcodec's reason.
func TestOpenHardwareThatDecodesNothing(t *testing.T) {
	software(t)
	var failed *HardwareError
	if h, err := OpenHardware("vulkan"); !errors.As(err, &failed) ||
		!strings.Contains(err.Error(), "was built without decoding") {
		t.Error(h, err)
	}
}

// software opens a device that is drawn by software: Vulkan on SwiftShader, which Debian's Chromium brings. It
// decodes nothing, but takes pictures into memory of its own and gives them back as a graphics card does.
func software(t *testing.T) *Hardware {
	t.Helper()
	const driver = "/usr/lib/chromium/vk_swiftshader_icd.json"
	if _, err := os.Stat(driver); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there; install chromium", driver)
	}
	t.Setenv("VK_DRIVER_FILES", driver)
	h, err := openDevice("vulkan", "0")
	var failed *HardwareError
	if errors.As(err, &failed) && !strings.Contains(err.Error(), "wrong samples") &&
		!strings.Contains(err.Error(), "no picture back") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// A picture comes back from a device as it was, also one of an odd size and one smaller than the one before.
func TestPicturesComeBack(t *testing.T) {
	h := software(t)
	for _, size := range [][2]int{{640, 480}, {322, 246}, {64, 48}, {1280, 720}} {
		if err := h.bringBack(size[0], size[1]); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
}

// A device that cannot decode is asked for no codec: each is decoded on the processor.
func TestDeviceWithoutDecoders(t *testing.T) {
	h := software(t)
	for _, codec := range codecs {
		h.decodes[codec] = h.try(codec)
		if err := h.Decodes(codec); err == nil || !strings.Contains(err.Error(), "was built without decoding") {
			t.Errorf("%s: %v", codec, err)
		}
		d, err := OpenOn(h, codec, DefaultMaxPixels, func(why error) { t.Error(why) })
		if err != nil {
			t.Fatal(err)
		}
		units := testkit.TestSource(t, codec, 64, 48, 3)
		checkPictures(t, decodeAll(t, d, units), testkit.DecodeI420(t, codec, units))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSplitChroma(t *testing.T) {
	const stride, w, h = 24, 7, 5
	pairs := make([]byte, stride*h)
	for i := range pairs {
		pairs[i] = byte(i)
	}
	u, v := split(pairs, stride, w, h)
	for y := range h {
		for x := range w {
			if at := y*stride + 2*x; u[y*w+x] != pairs[at] || v[y*w+x] != pairs[at+1] {
				t.Fatalf("pair %d of row %d became %d and %d", x, y, u[y*w+x], v[y*w+x])
			}
		}
	}
	if !bytes.Equal(u[:2], []byte{0, 2}) || !bytes.Equal(v[:2], []byte{1, 3}) {
		t.Error(u, v)
	}
}

// A decoder leaves its device at once where the device fails, and only after several errors in a row where the data
// may be damaged; it goes on at the next key unit, and what it decodes there is right.
func TestDecoderLeavesItsDevice(t *testing.T) {
	units := testkit.TestSource(t, pipeline.H264, 64, 48, 12)
	damaged := pipeline.Unit{Data: []byte{0, 0, 0, 1, 0x65, 0xff, 0xff}, Key: true}
	t.Run("damaged data", func(t *testing.T) {
		d := open(t, pipeline.H264, DefaultMaxPixels)
		var left []error
		d.left = func(why error) { left = append(left, why) }
		for i := range tries + 1 {
			if err := d.Decode(damaged, func(*pipeline.Frame) {}); err == nil {
				t.Fatal("it was decoded")
			}
			if (len(left) > 0) != (i == tries) {
				t.Fatalf("after %d errors it was left %d times", i+1, len(left))
			}
		}
		checkPictures(t, decodeAll(t, d, units), testkit.DecodeI420(t, pipeline.H264, units))
		if len(left) != 1 || d.left != nil {
			t.Error(left)
		}
	})
	t.Run("no device for the stream", func(t *testing.T) {
		d := open(t, pipeline.H264, DefaultMaxPixels)
		var left []error
		d.left = func(why error) { left = append(left, why) } // though it decodes on the processor
		checkPictures(t, decodeAll(t, d, units), testkit.DecodeI420(t, pipeline.H264, units))
		if len(left) != 1 || !strings.Contains(left[0].Error(), "does not decode such a stream") {
			t.Error(left)
		}
	})
	t.Run("a fault of the device", func(t *testing.T) {
		d := open(t, pipeline.H264, DefaultMaxPixels)
		var left []error
		d.left = func(why error) { left = append(left, why) }
		d.needKey, d.damaged = true, true
		d.blame(codeError(-1)) // EPERM, which data cannot be the cause of

		if len(left) != 1 {
			t.Fatal(left)
		}
		if err := d.Decode(units[1], func(*pipeline.Frame) {}); !errors.Is(err, ErrNeedKey) {
			t.Error(err)
		}
		checkPictures(t, decodeAll(t, d, units), testkit.DecodeI420(t, pipeline.H264, units))
	})
}

func TestTry(t *testing.T) {
	for _, codec := range codecs {
		grey, err := Grey(codec)
		if err != nil {
			t.Fatal(err)
		}
		if err := open(t, codec, DefaultMaxPixels).Try(grey); err != nil {
			t.Errorf("%s: %v", codec, err)
		}
	}
}
