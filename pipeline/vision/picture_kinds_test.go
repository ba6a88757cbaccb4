package vision

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mindflow/pipeline"
)

var orange, blue = color.NRGBA{230, 120, 40, 255}, color.NRGBA{20, 90, 200, 255}

// halves draws a picture of 64 by 48 pixels, its left half orange and its right half blue.
func halves[P interface {
	image.Image
	Set(x, y int, c color.Color)
}](img P) P {
	for y := range 48 {
		for x := range 64 {
			img.Set(x, y, orange)
			if x >= 32 {
				img.Set(x, y, blue)
			}
		}
	}
	return img
}

func encoded(t testing.TB, img image.Image, extension string) []byte {
	t.Helper()
	var data bytes.Buffer
	err := png.Encode(&data, img)
	if extension == ".jpg" {
		data.Reset()
		err = jpeg.Encode(&data, img, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func inFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lookAt gives a picture's size and its colours in the middle of the left and the right, or of the upper and
// the lower half where it stands.
func lookAt(t *testing.T, path string) (size image.Point, colours [2][3]float32) {
	t.Helper()
	p, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f, err := p.Frame()
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, rgb.Len())
	pipeline.NewSampler(rgb).Crop(pipeline.Crop{Values: dst}, f,
		pipeline.Region{W: float32(f.Width), H: float32(f.Height)})
	at := [2]int{3*8 + 1, 3*8 + 6} // of 8 by 8
	if f.Height > f.Width {
		at = [2]int{1*8 + 3, 6*8 + 3}
	}
	for i, a := range at {
		colours[i] = [3]float32(dst[3*a:])
	}
	return image.Pt(f.Width, f.Height), colours
}

// Whatever way a picture is stored, the same one is read: sizes upright, colours as those of its plain twin.
func TestReadKindsOfPictures(t *testing.T) {
	plain := halves(image.NewNRGBA(image.Rect(0, 0, 64, 48)))
	_, want := lookAt(t, inFile(t, "plain.png", encoded(t, plain, ".png")))
	for i, c := range []color.NRGBA{orange, blue} {
		for j, v := range []uint8{c.R, c.G, c.B} {
			if math.Abs(float64(want[i][j])-float64(v)) > 4 {
				t.Fatalf("the plain picture has %v, want %v", want[i], c)
			}
		}
	}
	var grey [2][3]float32
	for i, c := range []color.NRGBA{orange, blue} {
		y := float32(color.GrayModel.Convert(c).(color.Gray).Y)
		grey[i] = [3]float32{y, y, y}
	}
	translucent := halves(image.NewNRGBA(image.Rect(0, 0, 64, 48)))
	for i := 3; i < len(translucent.Pix); i += 4 {
		translucent.Pix[i] = 100
	}
	palette := halves(image.NewPaletted(image.Rect(0, 0, 64, 48), color.Palette{blue, orange}))
	photo := encoded(t, plain, ".jpg")
	for _, c := range []struct {
		name string
		data []byte
		size image.Point
		want [2][3]float32
	}{
		{"16 bits.png", encoded(t, halves(image.NewNRGBA64(image.Rect(0, 0, 64, 48))), ".png"), image.Pt(64, 48), want},
		{"grey.png", encoded(t, halves(image.NewGray(image.Rect(0, 0, 64, 48))), ".png"), image.Pt(64, 48), grey},
		{"grey 16 bits.png", encoded(t, halves(image.NewGray16(image.Rect(0, 0, 64, 48))), ".png"), image.Pt(64, 48),
			grey},
		{"grey.jpg", encoded(t, halves(image.NewGray(image.Rect(0, 0, 64, 48))), ".jpg"), image.Pt(64, 48), grey},
		{"see-through.png", encoded(t, translucent, ".png"), image.Pt(64, 48), want}, // as if it were not
		{"palette.png", encoded(t, palette, ".png"), image.Pt(64, 48), want},
		{"photo.jpg", photo, image.Pt(64, 48), want},
		{"four inks.jpg", fourInks(orange, blue), image.Pt(64, 48), want},
		{"turned to the right.jpg", oriented(photo, 6), image.Pt(48, 64), want},
		{"with a film behind it.jpg", append(bytes.Clone(photo), "\x00\x00\x00\x08ftyp"...), image.Pt(64, 48), want},
		{"on its head.jpg", oriented(photo, 3), image.Pt(64, 48), [2][3]float32{want[1], want[0]}},
		{"turned to the left.jpg", oriented(photo, 8), image.Pt(48, 64), [2][3]float32{want[1], want[0]}},
		{"in a mirror.jpg", oriented(photo, 2), image.Pt(64, 48), [2][3]float32{want[1], want[0]}},
		{"with a profile.png", slices.Insert(bytes.Clone(encoded(t, plain, ".png")), 33, badProfile()...),
			image.Pt(64, 48), want},
		{"turned to the right.png", slices.Insert(bytes.Clone(encoded(t, plain, ".png")), 33, pngTurned()...),
			image.Pt(48, 64), want},
		{"moving.png", animatedPNG(t), image.Pt(64, 48), want}, // the first picture
	} {
		t.Run(c.name, func(t *testing.T) {
			size, got := lookAt(t, inFile(t, c.name, c.data))
			if size != c.size {
				t.Errorf("%v, want %v", size, c.size)
			}
			for i := range got {
				for j := range got[i] {
					if math.Abs(float64(got[i][j]-c.want[i][j])) > 5 {
						t.Fatalf("colours %v, want %v", got, c.want)
					}
				}
			}
		})
	}
}

// oriented puts an Exif orientation into a JPEG file (TIFF 6.0, tag 0x112).
func oriented(photo []byte, orientation byte) []byte {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) +
		"\x00\x00\x00\x00\x00\x00"
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(exif)))
	return append(append(append(bytes.Clone(photo[:2]), segment...), exif...), photo[2:]...)
}

// fourInks is a JPEG file of 64 by 48 pixels in cyan, magenta, yellow and black, inverted as Adobe's are. Each
// block of 8 by 8 is of one colour: a DC coefficient and no others (T.81, annex F).
func fourInks(left, right color.NRGBA) []byte {
	data := []byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00") // transform 0: no YCCK
	data = append(data, "\xff\xdb\x00\x43\x00"+strings.Repeat("\x01", 64)...)
	data = append(data, "\xff\xc0\x00\x14\x08\x00\x30\x00\x40\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00"...)
	// 12 codes of 4 bits
	data = append(data, "\xff\xc4\x00\x1f\x00\x00\x00\x00\x0c"+strings.Repeat("\x00",
		12)+"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"...)
	// end of block: 0
	data = append(data, "\xff\xc4\x00\x14\x10\x01"+strings.Repeat("\x00", 15)+"\x00"...)
	data = append(data, "\xff\xda\x00\x0e\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00"...)
	var bits []byte // one each
	put := func(v, n int) {
		for n--; n >= 0; n-- {
			bits = append(bits, byte(v>>n&1))
		}
	}
	var last [4]int
	for block := range 6 * 8 {
		c := left
		if block%8 >= 4 {
			c = right
		}
		for i, v := range []byte{c.R, c.G, c.B, 255} { // inverted ink, all of it black's
			dc := 8 * (int(v) - 128)
			diff := dc - last[i]
			last[i] = dc
			size, value := 0, diff
			for m := max(diff, -diff); m > 0; m >>= 1 {
				size++
			}
			if diff < 0 {
				value += 1<<size - 1
			}
			put(size, 4)
			put(value, size)
			put(0, 1)
		}
	}
	for len(bits)%8 != 0 {
		bits = append(bits, 1)
	}
	for ; len(bits) > 0; bits = bits[8:] {
		b := byte(0)
		for _, bit := range bits[:8] {
			b = b<<1 | bit
		}
		if data = append(data, b); b == 0xff {
			data = append(data, 0)
		}
	}
	return append(data, 0xff, 0xd9)
}

// animatedPNG is the picture of halves, and then others.
func animatedPNG(t testing.TB) []byte {
	first := inFile(t, "first.png", encoded(t, halves(image.NewNRGBA(image.Rect(0, 0, 64, 48))), ".png"))
	return readFile(t, makeVideo(t, "moving.png", "-loop", "1", "-t", "1", "-i", first, "-f", "lavfi", "-i",
		"color=red:size=64x48:duration=1",
		"-filter_complex", "[0][1]concat,format=rgba", "-c:v", "apng", "-f", "apng"))
}

// A bad file is refused in one line that names it, within little memory whatever its header claims.
func TestReadRefusesInLittleMemory(t *testing.T) {
	photo := encoded(t, halves(image.NewNRGBA(image.Rect(0, 0, 64, 48))), ".jpg")
	drawing := encoded(t, halves(image.NewNRGBA(image.Rect(0, 0, 64, 48))), ".png")
	claim := func(w, h uint32) []byte { // width and height of a PNG stand at bytes 16 and 20, a checksum follows at 29
		data := bytes.Clone(drawing)
		binary.BigEndian.PutUint32(data[16:], w)
		binary.BigEndian.PutUint32(data[20:], h)
		copy(data[29:], pngSum(data[12:29]))
		return data
	}
	wide := bytes.Clone(photo)
	sof := bytes.Index(wide, []byte("\xff\xc0\x00\x11\x08"))
	copy(wide[sof+5:], "\xff\xdc\xff\xdc")
	animated := []string{"-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1", "-c:v"}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty.png", nil, "empty"},
		{"text.jpg", []byte("a letter, not a picture"), "known format"},
		{"no width.png", claim(0, 48), "damaged picture"},
		{"no height.png", claim(64, 0), "damaged picture"},
		{"claims much.png", claim(40_000, 40_000), "40000 by 40000 pixels"},
		{"wide.png", claim(1<<20+1, 20), "65535 a side"},
		{"claims most.png", claim(1<<31-1, 1<<31-1), "damaged picture"},
		{"claims what it has not.png", claim(9_000, 9_000), "damaged picture"},
		{"claims much.jpg", wide, "65500 by 65500 pixels"},
		{"half.jpg", photo[:len(photo)-20], "cut short"},
		{"without its end.jpg", photo[:len(photo)-2], "cut short"},
		{"half.png", drawing[:len(drawing)/2], "cut short"},
		{"without its end.png", drawing[:len(drawing)-12], "cut short"},
		{"flipped.png", flipped(drawing, len(drawing)/2), "not what was written"},
		{"header.jpg", photo[:sof+8], "damaged picture"},
		{"directory far away.tiff", []byte("II*\x00\xff\xff\xff\xff"), "damaged picture"},
		{"moving.gif", readFile(t, makeVideo(t, "a.gif", append(animated, "gif")...)), "use mindflow video"},
		{"moving.webp", readFile(t, makeVideo(t, "a.webp", append(animated, "libwebp_anim")...)), "animation"},
		{"photo.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "convert it to JPEG"},
		{"photo.avif", []byte("\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf"), "convert it to JPEG"},
		{"film.mp4", readFile(t, makeVideo(t, "a.mp4", append(animated, "libx264")...)), "use mindflow video"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := inFile(t, c.name, c.data)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			peak := peakMemory(t)
			p, err := Read(path)
			runtime.ReadMemStats(&after)
			if err == nil {
				p.Close()
				t.Fatal("it was read")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q and the path", err, c.want)
			}
			if ours, all := after.TotalAlloc-before.TotalAlloc, peakMemory(t)-peak; ours > 8<<20 || all > 300<<20 {
				t.Errorf("it took %d MB, %d of them in Go", all>>20, ours>>20)
			}
		})
	}
}

// peakMemory is the most memory that this process has had, in bytes.
func peakMemory(t testing.TB) int {
	t.Helper()
	var use int
	status := string(readFile(t, "/proc/self/status"))
	_, after, _ := strings.Cut(status, "VmHWM:")
	for _, c := range strings.TrimSpace(after) {
		if c < '0' || c > '9' {
			break
		}
		use = use*10 + int(c-'0')
	}
	return use << 10
}
