package vision

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// A WebP file comes upright as its EXIF data says, like its JPEG twin, whatever the order of its bytes.
func TestReadWebPUpright(t *testing.T) {
	photo := encoded(t, halves(image.NewNRGBA(image.Rect(0, 0, 64, 48))), ".jpg")
	plain := inFile(t, "plain.png", encoded(t, halves(image.NewNRGBA(image.Rect(0, 0, 64, 48))), ".png"))
	webp := readFile(t, makeVideo(t, "plain.webp", "-i", plain, "-c:v", "libwebp", "-lossless", "1"))
	for o := byte(0); o <= 9; o++ {
		wantSize, want := lookAt(t, inFile(t, "twin.jpg", oriented(photo, o)))
		motorola := "MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(o) + "\x00\x00"
		intel := "II*\x00\x08\x00\x00\x00\x02\x00\x0f\x01\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00" +
			"\x12\x01\x03\x00\x01\x00\x00\x00" + string(o) + "\x00\x00\x00"
		for _, exif := range []string{motorola, intel, "Exif\x00\x00" + motorola} {
			size, got := lookAt(t, inFile(t, "a.webp", withEXIF(webp, exif)))
			if size != wantSize {
				t.Errorf("orientation %d: %v, want %v", o, size, wantSize)
			}
			for i := range got {
				for j := range got[i] {
					if math.Abs(float64(got[i][j]-want[i][j])) > 8 {
						t.Errorf("orientation %d: colours %v, want %v", o, got, want)
					}
				}
			}
		}
	}
	for _, damaged := range []string{"", "MM", "MM\x00*\x00\x00\x00\xff", "II*\x00\x08\x00\x00\x00\xff\xff\x12\x01"} {
		if size, _ := lookAt(t, inFile(t, "a.webp", withEXIF(webp, damaged))); size != image.Pt(64, 48) {
			t.Errorf("EXIF data %q made it %v", damaged, size)
		}
	}
}

// withEXIF appends a chunk with EXIF data to a WebP file.
func withEXIF(webp []byte, exif string) []byte {
	data := append(bytes.Clone(webp), "EXIF"...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(exif)))
	data = append(data, exif...)
	if len(exif)%2 == 1 {
		data = append(data, 0)
	}
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	return data
}

// A whole picture of an uncommon kind is not called damaged.
func TestReadUnsupportedKinds(t *testing.T) {
	plain := halves(image.NewNRGBA(image.Rect(0, 0, 64, 48)))
	var inTIFF, inBMP bytes.Buffer
	if err := tiff.Encode(&inTIFF, plain, nil); err != nil {
		t.Fatal(err)
	}
	if err := bmp.Encode(&inBMP, plain); err != nil {
		t.Fatal(err)
	}
	const photometric, extraSamples, sampleFormat = 262, 338, 339
	runLengths := inBMP.Bytes()
	runLengths[30] = 1
	deep := encoded(t, plain, ".jpg")
	deep[bytes.Index(deep, []byte("\xff\xc0"))+4] = 12
	for name, data := range map[string][]byte{
		"inks.tiff":      withTag(t, inTIFF.Bytes(), photometric, photometric, 5),
		"lab.tiff":       withTag(t, inTIFF.Bytes(), photometric, photometric, 8),
		"float.tiff":     withTag(t, inTIFF.Bytes(), extraSamples, sampleFormat, 3),
		"run length.bmp": runLengths,
		"12 bits.jpg":    deep,
	} {
		p, err := Read(inFile(t, name, data))
		if err == nil {
			p.Close()
			t.Errorf("%s was read", name)
		} else if text := err.Error(); !strings.Contains(text, "not supported") || strings.Contains(text, "damaged") ||
			!strings.Contains(text, "save it as PNG or JPEG") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// withTag returns a TIFF file with another tag and value in place of a tag of one number.
func withTag(t *testing.T, file []byte, old, tag, value uint16) []byte {
	t.Helper()
	data := bytes.Clone(file)
	directory := data[binary.LittleEndian.Uint32(data[4:]):]
	for i := range binary.LittleEndian.Uint16(directory) {
		entry := directory[2+12*i:]
		if binary.LittleEndian.Uint16(entry) == old {
			binary.LittleEndian.PutUint16(entry, tag)
			binary.LittleEndian.PutUint16(entry[8:], value)
			return data
		}
	}
	t.Fatalf("no tag %d", old)
	return nil
}
