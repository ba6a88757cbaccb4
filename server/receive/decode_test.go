package receive

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pion/rtp"

	"mindflow/pipeline"
	"mindflow/pipeline/avdec"
	"mindflow/pipeline/testkit"
)

// picture is a decoded frame: its size, its RTP time and its planes without padding.
type picture struct {
	size string // width x height
	rtp  uint32
	i420 []byte
}

// receive takes packets all the way to pictures, and fails where a key frame would be asked for.
func receive(t *testing.T, codec pipeline.Codec, packets []*rtp.Packet) (pictures []picture) {
	t.Helper()
	a, err := newAssembler(codec, limits{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := avdec.Open(codec, avdec.DefaultMaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, p := range packets {
		needKey := a.push(p, epoch, func(u pipeline.Unit) {
			err := d.Decode(u, func(f *pipeline.Frame) { pictures = append(pictures, copyPicture(f)) })
			if err != nil {
				t.Fatalf("packet %d, RTP %d: %v", i, u.RTP, err)
			}
		})
		if needKey {
			t.Fatalf("packet %d asks for a key frame, stats %+v", i, a.stats)
		}
	}
	return pictures
}

func copyPicture(f *pipeline.Frame) picture {
	var packed pipeline.Frame
	packed.CopyFrom(f)
	return picture{
		fmt.Sprintf("%dx%d", f.Width, f.Height),
		f.RTP,
		bytes.Join([][]byte{packed.Y, packed.U, packed.V}, nil),
	}
}

// later moves units in time.
func later(units []pipeline.Unit, frames int) []pipeline.Unit {
	for i := range units {
		units[i].RTP += uint32(frames) * testkit.Clock / 30
	}
	return units
}

// checkReceived holds pictures to ffmpeg's of the same units, which all have one size.
func checkReceived(t *testing.T, codec pipeline.Codec, got []picture, units []pipeline.Unit, size string) {
	t.Helper()
	want := testkit.DecodeI420(t, codec, units)
	if len(got) != len(units) {
		t.Fatalf("%d pictures of %d units", len(got), len(units))
	}
	each := len(want) / len(units)
	for i, p := range got {
		if p.size != size || p.rtp != units[i].RTP {
			t.Fatalf("picture %d is %s at %d, want %s at %d", i, p.size, p.rtp, size, units[i].RTP)
		}
		if !bytes.Equal(p.i420, want[i*each:(i+1)*each]) {
			t.Fatalf("picture %d of %s differs from the reference", i, size)
		}
	}
}

// A sender that turns its camera or adapts to its line begins another size at a key unit. Odd sizes and
// upright ones are among them.
func TestSizeChangesInMidStream(t *testing.T) {
	const frames = 6
	for _, codec := range allCodecs {
		t.Run(string(codec), func(t *testing.T) {
			sizes := [][2]int{{320, 240}, {427, 241}, {180, 320}, {241, 427}, {96, 64}, {640, 360}}
			var all []pipeline.Unit
			for i, s := range sizes {
				if codec == pipeline.H264 { // 4:2:0 H264 is cropped to even sizes
					sizes[i] = [2]int{s[0] &^ 1, s[1] &^ 1}
				}
				all = append(all, later(testkit.TestSource(t, codec, sizes[i][0], sizes[i][1], frames), i*frames)...)
			}
			got := receive(t, codec, packetize(t, codec, all))
			if len(got) != len(all) {
				t.Fatalf("%d pictures of %d units", len(got), len(all))
			}
			for i, s := range sizes {
				from, to := i*frames, (i+1)*frames
				checkReceived(t, codec, got[from:to], all[from:to], fmt.Sprintf("%dx%d", s[0], s[1]))
			}
		})
	}
}

// A unit is handed over by its last packet, of whatever codec: waiting for the next would cost a frame's time.
func TestHandedOverAtItsLastPacket(t *testing.T) {
	for _, codec := range allCodecs {
		t.Run(string(codec), func(t *testing.T) {
			a, err := newAssembler(codec, limits{})
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range packetize(t, codec, testkit.TestSource(t, codec, 640, 480, 10)) {
				came := 0
				a.push(p, epoch, func(pipeline.Unit) { came++ })
				if last := p.Marker; (came == 1) != last || came > 1 {
					t.Fatalf("packet %d: %d units, last packet of one: %t", i, came, last)
				}
			}
		})
	}
}
