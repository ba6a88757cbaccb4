package avdec

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

func noFrame(t testing.TB) func(*pipeline.Frame) {
	return func(*pipeline.Frame) { t.Helper(); t.Error("a frame was emitted") }
}

// After each kind of damage the decoder reports it, waits for a key unit, and is exact again.
func TestDecodeSurvivesDamage(t *testing.T) {
	noise := rand.NewChaCha8([32]byte{7})
	random := make([]byte, 4000)
	noise.Read(random)
	for _, codec := range codecs {
		units := testkit.TestSource(t, codec, 320, 240, 35)
		want := testkit.DecodeI420(t, codec, units)
		key, inter := units[0], units[1]
		cut := func(u pipeline.Unit, size int) pipeline.Unit { u.Data = u.Data[:size:size]; return u }
		// VP8 and VP9 do not state where their last partition ends; a decoder reads zeros after a cut.
		hidden := codec == pipeline.VP8 || codec == pipeline.VP9
		for _, tt := range []struct {
			name   string
			unit   pipeline.Unit
			hidden bool
		}{
			{"empty", pipeline.Unit{Key: true}, false},
			{"one byte", cut(key, 1), false},
			{"random", pipeline.Unit{Data: random, Key: true}, false},
			{"header of key", cut(key, 20), false},
			{"header of inter", cut(inter, 8), false},
			{"half of key", cut(key, len(key.Data)/2), hidden},
			{"half of inter", cut(inter, len(inter.Data)/2), hidden},
		} {
			t.Run(string(codec)+"/"+tt.name, func(t *testing.T) {
				d := open(t, codec, DefaultMaxPixels)
				decodeAll(t, d, units[:1])
				frames := 0
				err := d.Decode(tt.unit, func(*pipeline.Frame) { frames++ })
				if (err == nil || frames > 0) && !tt.hidden {
					t.Fatalf("%d frames, error %v", frames, err)
				}
				if err != nil {
					if err := d.Decode(units[2], noFrame(t)); !errors.Is(err, ErrNeedKey) {
						t.Fatalf("a unit after the error gave %v, want ErrNeedKey", err)
					}
				}
				checkPictures(t, decodeAll(t, d, units[30:]), want[len(want)/35*30:])
			})
		}
	}
}

func TestDecodeStartsAtKey(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 64, 48, 2)
	d := open(t, pipeline.VP8, DefaultMaxPixels)
	if err := d.Decode(units[1], noFrame(t)); !errors.Is(err, ErrNeedKey) {
		t.Fatalf("got %v, want ErrNeedKey", err)
	}
	decodeAll(t, d, units)
}

func TestDecodeRefusesPixelFormats(t *testing.T) {
	for _, tt := range []struct {
		codec        pipeline.Codec
		format, more string
	}{
		{pipeline.H264, "yuv422p", "-profile:v high422"},
		{pipeline.H264, "yuv444p", "-profile:v high444"},
		{pipeline.H264, "yuv420p10le", "-profile:v high10"},
		{pipeline.VP9, "yuv444p", "-profile:v 1"},
	} {
		t.Run(string(tt.codec)+"/"+tt.format, func(t *testing.T) {
			args := strings.Fields("-f lavfi -i testsrc2=size=64x48 -frames:v 1 -pix_fmt " + tt.format + " " + tt.more)
			units := testkit.Encode(t, tt.codec, args...)
			d := open(t, tt.codec, DefaultMaxPixels)
			err := d.Decode(units[0], noFrame(t))
			if err == nil || !strings.Contains(err.Error(), tt.format) {
				t.Fatalf("got %v, want an error that names %s", err, tt.format)
			}
		})
	}
}

// The limit is on the picture's pixels, whatever blocks its codec pads them to, so it is the same for both
// orientations.
func TestDecodeLimitsPixels(t *testing.T) {
	for _, codec := range codecs {
		for _, size := range [][2]int{
			{640, 384}, {384, 640}, {640, 480}, {480, 640}, {720, 720}, {1080, 180}, {66, 1000},
		} {
			t.Run(fmt.Sprint(codec, size), func(t *testing.T) {
				units := testkit.TestSource(t, codec, size[0], size[1], 2)
				decodeAll(t, open(t, codec, size[0]*size[1]), units)

				err := open(t, codec, size[0]*size[1]-1).Decode(units[0], noFrame(t))
				var tooLarge *TooLargeError
				if !errors.As(err, &tooLarge) {
					t.Fatalf("got %v, want a TooLargeError", err)
				}
				var large interface{ TooLarge() bool }
				if !errors.As(err, &large) || !large.TooLarge() {
					t.Errorf("a consumer cannot tell %v", err)
				}
				if tooLarge.MaxPixels != size[0]*size[1]-1 {
					t.Errorf("the error names a limit of %d", tooLarge.MaxPixels)
				}
				if codec != pipeline.VP9 && (tooLarge.Width != size[0] || tooLarge.Height != size[1]) {
					t.Errorf("the error names %dx%d", tooLarge.Width, tooLarge.Height)
				}
			})
		}
	}
}

// A few bytes that declare a frame of 256 million pixels or more take no memory for it.
func TestDecodeRefusesHugeFrames(t *testing.T) {
	for _, codec := range codecs {
		t.Run(string(codec), func(t *testing.T) {
			units := testkit.TestSource(t, codec, 64, 48, 2)
			d := open(t, codec, DefaultMaxPixels)
			decodeAll(t, d, units)
			before := peakMemory(t)
			err := d.Decode(pipeline.Unit{Data: declareHuge(codec, units[0].Data), Key: true}, noFrame(t))
			var tooLarge *TooLargeError
			if !errors.As(err, &tooLarge) {
				t.Fatalf("got %v, want a TooLargeError", err)
			}
			if tooLarge.Width == 64 {
				t.Errorf("the error names %dx%d, the size of the frames before", tooLarge.Width, tooLarge.Height)
			}
			named := codec == pipeline.VP8 || codec == pipeline.H264 // of the others libavcodec tells no size
			if named && tooLarge.Width*tooLarge.Height < 16000*16000 {
				t.Errorf("the error names %dx%d", tooLarge.Width, tooLarge.Height)
			}
			if grown := peakMemory(t) - before; grown > 20<<20 { // the frame would take 400 MB, its tables 60 MB
				t.Errorf("the process grew by %d MB", grown>>20)
			}
			decodeAll(t, d, units)
		})
	}
}

// declareHuge changes the size in a key unit's header to 16,000 by 16,000 pixels or more.
func declareHuge(codec pipeline.Codec, key []byte) []byte {
	data := bytes.Clone(key)
	switch codec {
	case pipeline.VP8: // RFC 6386, section 9.1: 14 bits each after the start code
		copy(data[6:], []byte{0xff, 0x3f, 0xff, 0x3f})
	case pipeline.VP9: // 16 bits each, from bit 36 of the uncompressed header
		data[4] |= 0x0f
		copy(data[5:], []byte{0xff, 0xff, 0xff})
		data[8] |= 0xf0
	case pipeline.H264:
		pps := bytes.Index(data, []byte{0, 0, 0, 1, 0x68})
		data = append(hugeSPS(), data[pps:]...)
	case pipeline.AV1:
		data = hugeSequence(data)
	}
	return data
}

// hugeSequence changes the sequence header of a key unit of AV1 (section 5.5.1) to 16384 by 16384 pixels.
func hugeSequence(unit []byte) (changed []byte) {
	for len(unit) > 0 { // OBUs of less than 128 bytes but for the last
		header, size := 2, int(unit[1])
		if unit[0]>>3&15 != 1 || size > 127 {
			n := min(len(unit), header+size)
			if size > 127 {
				n = len(unit)
			}
			changed, unit = append(changed, unit[:n]...), unit[n:]
			continue
		}
		var bits strings.Builder
		for _, b := range unit[header : header+size] {
			fmt.Fprintf(&bits, "%08b", b)
		}
		at := 29 // profile, still, reduced, timing, delay, one operating point, its level
		was := bits.String()
		read := func(from, n int) (v int) {
			_, _ = fmt.Sscanf(was[from:from+n], "%b", &v)
			return v
		}
		w, h := read(at, 4)+1, read(at+4, 4)+1
		now := was[:at] + "1111" + "1111" + "0011111111111111" + "0011111111111111" + was[at+8+w+h:]
		for len(now)%8 > 0 {
			now += "0"
		}
		changed = append(changed, unit[0], byte(len(now)/8))
		for ; now != ""; now = now[8:] {
			var b byte
			_, _ = fmt.Sscanf(now[:8], "%b", &b)
			changed = append(changed, b)
		}
		unit = unit[header+size:]
	}
	return changed
}

// hugeSPS is a sequence parameter set (H.264, section 7.3.2.1) of 1000 by 1000 macroblocks.
func hugeSPS() []byte {
	var bits strings.Builder
	ue := func(v int) { // Exp-Golomb, section 9.1
		b := fmt.Sprintf("%b", v+1)
		bits.WriteString(strings.Repeat("0", len(b)-1) + b)
	}
	fmt.Fprintf(&bits, "%08b%08b%08b", 66, 0xc0, 60) // baseline, level 6
	for _, v := range []int{0, 0, 2, 1} {            // id, frame number bits, picture order type, references
		ue(v)
	}
	bits.WriteString("0") // no gaps
	ue(999)
	ue(999)
	bits.WriteString("11001") // frames, direct 8x8, no cropping, no VUI, the stop bit
	bits.WriteString(strings.Repeat("0", 7))
	sps := []byte{0, 0, 0, 1, 0x67}
	for s := bits.String(); len(s) >= 8; s = s[8:] {
		var b byte
		fmt.Sscanf(s[:8], "%b", &b)
		sps = append(sps, b)
	}
	return sps
}

// peakMemory is the most memory that this process has had, in bytes.
func peakMemory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory is measured through /proc: ", err)
	}
	var kilobytes int
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
