package avfile

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// A picture comes upright, also out of a mirror, as ffmpeg's own turn and flips make it.
func TestVideoUpright(t *testing.T) {
	stored := makeVideo(t, "stored.mp4", "-f", "lavfi", "-i", "testsrc2=size=322x180:rate=25:duration=0.1", "-pix_fmt",
		"yuv420p", "-c:v", "libx264")
	for _, c := range []struct {
		name   string
		matrix [4]int32 // a, b, c, d of ISO/IEC 14496-12, section 6.2.2
		filter string
	}{
		{"plain", [4]int32{1, 0, 0, 1}, "null"},
		{"turned to the right", [4]int32{0, 1, -1, 0}, "transpose=clock"},
		{"on its head", [4]int32{-1, 0, 0, -1}, "hflip,vflip"},
		{"turned to the left", [4]int32{0, -1, 1, 0}, "transpose=cclock"},
		{"left for right", [4]int32{-1, 0, 0, 1}, "hflip"},
		{"upside down", [4]int32{1, 0, 0, -1}, "vflip"},
		{"transposed", [4]int32{0, 1, 1, 0}, "transpose=cclock_flip"},
		{"transposed over the other diagonal", [4]int32{0, -1, -1, 0}, "transpose=clock_flip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := withMatrix(t, stored, c.matrix)
			f, size := first(t, file)
			args := []string{"-noautorotate", "-i", file, "-frames:v", "1", "-vf", c.filter}
			if want := readFile(t, makeVideo(t, "want.yuv", args...)); !bytes.Equal(planes(&f), want) {
				t.Errorf("the first picture of %dx%d is not that of %s", f.Width, f.Height, c.filter)
			}
			if want := readFile(t, makeVideo(t, "auto.yuv", "-i", file, "-frames:v", "1")); !bytes.Equal(planes(&f),
				want) {
				t.Errorf("the first picture is not ffmpeg's")
			}
			want := readFile(t, makeVideo(t, "want.bgr", append(args, "-f", "rawvideo", "-pix_fmt", "bgr24")...))
			if off := difference(bgr(t, file), want); off > 2 || size != [2]int{f.Width, f.Height} {
				t.Errorf("BGR of %v differs by %.1f of 255", size, off)
			}
		})
	}
}

// withMatrix returns a copy of an MP4 file with another matrix in the header of its only track.
func withMatrix(t *testing.T, file string, m [4]int32) string {
	t.Helper()
	data := readFile(t, file)
	at := bytes.Index(data, []byte("tkhd"))
	if at < 0 {
		t.Fatal("no header of a track")
	}
	matrix := data[at+4+40:] // of version 0
	for i, v := range map[int]int32{0: m[0], 1: m[1], 3: m[2], 4: m[3]} {
		binary.BigEndian.PutUint32(matrix[4*i:], uint32(v<<16))
	}
	out := filepath.Join(t.TempDir(), "matrix.mp4")
	if err := os.WriteFile(out, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// bgr returns the first picture in blue, green and red.
func bgr(t *testing.T, file string) []byte {
	t.Helper()
	v, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, _, err := v.Next(); err != nil {
		t.Fatal(err)
	}
	pixels, _, _, err := v.BGR()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(pixels)
}
