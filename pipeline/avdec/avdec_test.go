package avdec

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

var codecs = []pipeline.Codec{pipeline.VP8, pipeline.VP9, pipeline.H264, pipeline.AV1}

// open makes a decoder for one test and checks that nothing of it is left in C.
func open(t testing.TB, codec pipeline.Codec, maxPixels int) *Decoder {
	t.Helper()
	before := Live()
	d, err := Open(codec, maxPixels)
	if err != nil {
		t.Fatal(err)
	}
	if Live() != before+1 {
		t.Fatalf("%d decoders live after Open, want %d", Live(), before+1)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if Live() != before {
			t.Errorf("%d decoders live after Close, want %d", Live(), before)
		}
	})
	return d
}

// appendI420 appends a frame's planes without the padding of rows.
func appendI420(dst []byte, f *pipeline.Frame) []byte {
	var packed pipeline.Frame
	packed.CopyFrom(f)
	dst = append(dst, packed.Y...)
	dst = append(dst, packed.U...)
	return append(dst, packed.V...)
}

// decodeAll decodes units, of which each must give one frame at once.
func decodeAll(t testing.TB, d *Decoder, units []pipeline.Unit) []byte {
	t.Helper()
	var pictures []byte
	for i, u := range units {
		frames := 0
		err := d.Decode(u, func(f *pipeline.Frame) {
			frames++
			pictures = appendI420(pictures, f)
			if f.RTP != u.RTP || !f.Arrived.Equal(u.Arrived) || f.Decode <= 0 {
				t.Errorf("unit %d (RTP %d): the frame has RTP %d, arrived %v, took %v", i, u.RTP, f.RTP, f.Arrived,
					f.Decode)
			}
		})
		if err != nil || frames != 1 {
			t.Fatalf("unit %d: %d frames, error %v", i, frames, err)
		}
	}
	return pictures
}

func checkPictures(t testing.TB, got, want []byte) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("the reference decoder gave no pictures")
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of pictures differ from the reference's %d", len(got), len(want))
	}
}

func TestDecodeIsBitExact(t *testing.T) {
	for _, codec := range codecs {
		for _, size := range []struct {
			name string
			w, h int
		}{{"vga", 640, 480}, {"portrait", 360, 640}, {"odd", 333, 251}, {"tiny", 18, 22}} {
			t.Run(string(codec)+"/"+size.name, func(t *testing.T) {
				if codec == pipeline.H264 { // 4:2:0 H264 is cropped to even sizes
					size.w, size.h = size.w&^1, size.h&^1
				}
				units := testkit.TestSource(t, codec, size.w, size.h, 40)
				for i := range units {
					units[i].Arrived = time.Unix(1000, int64(i))
				}
				d := open(t, codec, DefaultMaxPixels)
				checkPictures(t, decodeAll(t, d, units), testkit.DecodeI420(t, codec, units))
				if w, h := d.frame.Width, d.frame.Height; w != size.w || h != size.h {
					t.Errorf("frames are %dx%d, want %dx%d", w, h, size.w, size.h)
				}
			})
		}
	}
}

func TestDecodeFollowsSizeChanges(t *testing.T) {
	for _, codec := range codecs {
		t.Run(string(codec), func(t *testing.T) {
			d := open(t, codec, DefaultMaxPixels)
			for _, size := range [][2]int{{320, 240}, {640, 480}, {240, 320}, {96, 64}} {
				units := testkit.TestSource(t, codec, size[0], size[1], 5)
				checkPictures(t, decodeAll(t, d, units), testkit.DecodeI420(t, codec, units))
			}
		})
	}
}

// A stream with B-frames is late and out of order, yet each frame has the times of its own unit.
func TestDecodeReordersFrames(t *testing.T) {
	const size = 64 * 48 * 3 / 2
	units := testkit.Encode(t, pipeline.H264, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=30", "-frames:v", "25",
		"-profile:v", "high", "-tune", "film", "-bf", "2")
	if slices.IsSortedFunc(units, func(a, b pipeline.Unit) int { return cmp.Compare(a.RTP, b.RTP) }) {
		t.Fatal("the stream has no B-frames")
	}
	want := testkit.DecodeI420(t, pipeline.H264, units)
	d := open(t, pipeline.H264, DefaultMaxPixels)
	frames := 0
	for _, u := range units {
		err := d.Decode(u, func(f *pipeline.Frame) {
			i := int(f.RTP) * 30 / testkit.Clock
			checkPictures(t, appendI420(nil, f), want[i*size:(i+1)*size])
			frames++
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if frames < len(units)-3 {
		t.Errorf("%d frames from %d units", frames, len(units))
	}
}

func TestDecodeTellsColours(t *testing.T) {
	for _, tt := range []struct {
		name        string
		args        []string
		full, bt709 bool
	}{
		{name: "unspecified"},
		{"limited 709", []string{"-color_range", "tv", "-colorspace", "bt709"}, false, true},
		{"full 601", []string{"-pix_fmt", "yuvj420p", "-colorspace", "smpte170m"}, true, false},
		{"full 709", []string{"-pix_fmt", "yuvj420p", "-colorspace", "bt709"}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "2"}, tt.args...)
			units := testkit.Encode(t, pipeline.H264, args...)
			d := open(t, pipeline.H264, DefaultMaxPixels)
			decodeAll(t, d, units)
			if d.frame.FullRange != tt.full || d.frame.BT709 != tt.bt709 {
				t.Errorf("full range %t, BT.709 %t; want %t, %t", d.frame.FullRange, d.frame.BT709, tt.full, tt.bt709)
			}
		})
	}
}

func TestClose(t *testing.T) {
	d := open(t, pipeline.VP8, DefaultMaxPixels)
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	err := d.Decode(pipeline.Unit{Data: []byte{0}, Key: true}, func(*pipeline.Frame) { t.Error("a frame") })
	if !errors.Is(err, ErrClosed) {
		t.Fatalf("Decode after Close: %v, want ErrClosed", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name      string
		codec     pipeline.Codec
		maxPixels int
	}{
		{"unknown codec", "H265", DefaultMaxPixels},
		{"no codec", "", DefaultMaxPixels},
		{"no pixels", pipeline.VP8, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d, err := Open(tt.codec, tt.maxPixels); err == nil {
				d.Close()
				t.Fatal("no error")
			}
			if Live() != 0 {
				t.Fatalf("%d decoders live", Live())
			}
		})
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	for _, codec := range codecs {
		t.Run(string(codec), func(t *testing.T) {
			units := testkit.TestSource(t, codec, 320, 240, 40)
			d := open(t, codec, DefaultMaxPixels)
			i := 0
			emit := func(*pipeline.Frame) {}
			allocs := testing.AllocsPerRun(len(units)-1, func() {
				if err := d.Decode(units[i], emit); err != nil {
					t.Fatal(err)
				}
				i++
			})
			if allocs != 0 {
				t.Errorf("%v allocations a unit", allocs)
			}
		})
	}
}

func BenchmarkDecode640x480(b *testing.B) {
	for _, codec := range codecs {
		b.Run(string(codec), func(b *testing.B) {
			units := testkit.TestSource(b, codec, 640, 480, 90)
			d := open(b, codec, DefaultMaxPixels)
			emit := func(*pipeline.Frame) {}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := d.Decode(units[i%len(units)], emit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
