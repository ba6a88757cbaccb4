package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// emotions are the classes of FER2013, in the order of its numbers.
var emotions = []string{"anger", "disgust", "fear", "happy", "sad", "surprise", "neutral"}

// usages are FER2013's names of the splits.
var usages = map[string]string{"Train": "Training", "Valid": "PublicTest", "Test": "PrivateTest"}

// maxSide bounds the side of a picture in a table, in pixels. FER2013's have 48.
const maxSide = 1024

// readFER2013 lists the pictures of FER2013's table, which has the columns emotion, pixels and Usage in any order. The
// pixels are the grey values of a square picture, row by row. Without the column Usage all pictures are read.
func readFER2013(path string, o Options) (pictures []Picture, leftOut int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set: %w", err)
	}
	defer file.Close()
	rows := csv.NewReader(file)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("read data set %s: %w", path, err)
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
		})
	}
	emotion, pixels, usage := column("emotion"), column("pixels"), column("usage")
	if emotion < 0 || pixels < 0 {
		return nil, 0, fmt.Errorf("read data set %s: its first line does not name the columns emotion and pixels, as "+
			"FER2013's does", path)
	}
	want, known := usages[o.Split]
	if !known {
		want = o.Split
	}
	for line := 2; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return pictures, leftOut, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read data set %s: %w", path, err)
		}
		if usage >= 0 && !strings.EqualFold(strings.TrimSpace(row[usage]), want) {
			continue
		}
		i, err := strconv.Atoi(strings.TrimSpace(row[emotion]))
		if err != nil || i < 0 || i >= len(emotions) {
			return nil, 0, fmt.Errorf("read data set %s, line %d: the emotion is %.20q, want 0 to %d", path, line,
				row[emotion], len(emotions)-1)
		}
		class := ClassOf(emotions[i], o.Labels)
		if class == "" {
			leftOut++
			continue
		}
		grey, err := parsePixels(row[pixels])
		if err != nil {
			return nil, 0, fmt.Errorf("read data set %s, line %d: %w", path, line, err)
		}
		pictures = append(pictures, Picture{fmt.Sprintf("line %d", line), class, grey.encode})
	}
}

// square is the grey values of a square picture, row by row.
type square []byte

func parsePixels(text string) (square, error) {
	fields := strings.Fields(text)
	side := int(math.Sqrt(float64(len(fields))))
	if side < 1 || side > maxSide || side*side != len(fields) {
		return nil, fmt.Errorf("%d pixels are no square picture", len(fields))
	}
	grey := make(square, len(fields))
	for i, f := range fields {
		v, err := strconv.ParseUint(f, 10, 8)
		if err != nil {
			return nil, fmt.Errorf("pixel %d is %.20q, want 0 to 255", i+1, f)
		}
		grey[i] = byte(v)
	}
	return grey, nil
}

// encode returns the picture as a PNG.
func (s square) encode() ([]byte, error) {
	side := int(math.Sqrt(float64(len(s))))
	var out bytes.Buffer
	err := png.Encode(&out, &image.Gray{Pix: s, Stride: side, Rect: image.Rect(0, 0, side, side)})
	return out.Bytes(), err
}
