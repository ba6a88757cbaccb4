package avfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// resized is a video of five pictures of each size, as browsers and cameras record it, and the parts that it is made
// of.
func resized(t testing.TB, name string, sizes ...string) (whole string, parts []string) {
	t.Helper()
	codec := []string{"-c:v", "libx264", "-x264-params", "repeat-headers=1", "-f", "mpegts"}
	if filepath.Ext(name) == ".webm" {
		codec = []string{"-c:v", "libvpx", "-deadline", "realtime", "-f", "webm"}
	}
	var list strings.Builder
	for _, size := range sizes {
		part := makeVideo(t, "part",
			append([]string{"-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=25:duration=0.2"}, codec...)...)
		parts = append(parts, part)
		fmt.Fprintf(&list, "file '%s'\n", part)
	}
	path := filepath.Join(t.TempDir(), "parts.txt")
	if err := os.WriteFile(path, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return makeVideo(t, name, "-f", "concat", "-safe", "0", "-i", path, "-c", "copy"), parts
}

// A picture has the size that it was coded in, also when another came before: telephones are turned while they record.
func TestVideoChangesSize(t *testing.T) {
	for _, name := range []string{"turned.webm", "turned.ts", "turned.mp4"} {
		t.Run(name, func(t *testing.T) {
			sizes := []string{"320x180", "180x320", "64x48", "640x362"}
			whole, parts := resized(t, name, sizes...)
			v, err := Open(whole)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			for i, part := range parts {
				want := readFile(t, makeVideo(t, "want.yuv", "-i", part))
				for n := range 5 {
					f, _, err := v.Next()
					if err != nil {
						t.Fatal(err)
					}
					got := planes(f)
					if fmt.Sprintf("%dx%d", f.Width, f.Height) != sizes[i] ||
						!bytes.Equal(got, want[n*len(got):][:len(got)]) {
						t.Errorf("picture %d of part %d is %dx%d, want ffmpeg's of %s", n, i, f.Width, f.Height,
							sizes[i])
					}
				}
			}
			if _, _, err := v.Next(); !errors.Is(err, io.EOF) || v.CheckComplete() != nil {
				t.Errorf("at the end %v, %v", err, v.CheckComplete())
			}
		})
	}
}

// rest reads a video to its end: the number of its pictures, the time of the last one, and what Whole says.
func rest(t *testing.T, path string) (frames int, last time.Duration, whole error) {
	t.Helper()
	v, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for {
		_, at, err := v.Next()
		if errors.Is(err, io.EOF) {
			return frames, last, v.CheckComplete()
		}
		if err != nil {
			t.Fatal(err)
		}
		frames, last = frames+1, at
	}
}

// What follows damage is read, from the next key picture on, and it is said that something is missing.
func TestVideoGoesOnAfterDamage(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a.mp4":  {[]string{"-c:v", "libx264", "-g", "10", "-bf", "0"}, "of 50 frames could be decoded"},
		"b.mp4":  {[]string{"-c:v", "libx264", "-g", "10"}, "of 50 frames could be decoded"},
		"a.webm": {[]string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-g", "10"}, "cannot be found"},
		"a.ts":   {[]string{"-c:v", "libx264", "-g", "10"}, "could not be decoded"},
	} {
		t.Run(name, func(t *testing.T) {
			path := makeVideo(t, name, append(moving, c.args...)...)
			if frames, _, err := rest(t, path); frames != 50 || err != nil {
				t.Errorf("whole it has %d pictures: %v", frames, err)
			}
			data := readFile(t, path)
			for at := len(data) * 3 / 10; at < len(data)*6/10; at++ {
				if name == "a.ts" && at%188 < 4 { // the packets stay
					continue
				}
				data[at] = 0
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			frames, last, err := rest(t, path)
			if frames < 15 || frames > 45 || last < 1900*time.Millisecond {
				t.Errorf("%d pictures up to %v", frames, last)
			}
			if err == nil || !strings.Contains(err.Error(), "the file is damaged") ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("at the end %v", err)
			}
		})
	}
}

// A recording that began between key pictures, as of a broadcast, is no damaged file.
func TestVideoBeginsBetweenKeyPictures(t *testing.T) {
	path := makeVideo(t, "a.ts", append(moving, "-c:v", "libx264", "-g", "25", "-bf", "0")...)
	data := readFile(t, path)
	begin := len(data) / 4 / 188 * 188
	if err := os.WriteFile(path, data[begin:], 0o600); err != nil {
		t.Fatal(err)
	}
	if frames, _, err := rest(t, path); frames < 20 || frames > 30 || err != nil {
		t.Errorf("%d pictures, %v", frames, err)
	}
}

// A film that was cut without coding it again holds more than is to be seen: its edit list (ISO/IEC 14496-12, 8.6.6)
// says what.
func TestVideoOfAPart(t *testing.T) {
	path := makeVideo(t, "a.mp4", append(moving, "-c:v", "libx264")...)
	data := readFile(t, path)
	at := bytes.Index(data, []byte("elst"))
	if at < 0 {
		t.Fatal("it has no edit list")
	}
	duration := data[at+12:] // after version and count
	binary.BigEndian.PutUint32(duration, binary.BigEndian.Uint32(duration)/4)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if frames, last, err := rest(t, path); frames < 10 || frames > 16 || last > 600*time.Millisecond || err != nil {
		t.Errorf("%d pictures up to %v, %v", frames, last, err)
	}
}

// The picture on a record's cover is no video.
func TestVideoRefusesCovers(t *testing.T) {
	tone := []string{"-f", "lavfi", "-i", "sine=duration=1", "-f", "lavfi", "-i",
		"testsrc2=size=64x48:rate=25:duration=0.04", "-map", "0", "-map", "1", "-c:v", "mjpeg"}
	for name, args := range map[string][]string{
		"marked.mp4": {"-disposition:v:0", "attached_pic"}, "track.mp4": nil,
	} {
		_, err := Open(makeVideo(t, name, append(tone, args...)...))
		if err == nil || !strings.Contains(err.Error(), "sound only") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
