package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path"
	"strconv"
)

// face is one FER+ picture: 48 by 48 grey pixels and the class that most people saw.
type face struct {
	pixels *image.Gray
	label  int
}

// ferLabels are the columns of FER+'s votes in the order of label.csv.
var ferLabels = []string{"neutral", "happy", "surprise", "sad", "anger", "disgust", "fear", "contempt"}

// readFaces takes the valid split out of the FER+ archive: the pictures whose majority (over half of
// the votes, single votes dropped) is one of the eight classes. labels gives the classes' order.
func readFaces(file string, labels []string) ([]face, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open FER+ archive: %w", err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("open FER+ archive: %w", err)
	}
	pixels := map[string]*image.Gray{}
	classes := map[string]string{}
	for archive := tar.NewReader(unzipped); ; {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read FER+ archive: %w", err)
		}
		dir, name := path.Split(entry.Name)
		switch {
		case path.Base(dir) != "FER2013Valid" || name == "":
		case name == "label.csv":
			if err := readVotes(archive, classes); err != nil {
				return nil, err
			}
		default:
			img, err := png.Decode(archive)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", entry.Name, err)
			}
			grey := image.NewGray(img.Bounds())
			draw.Draw(grey, grey.Bounds(), img, image.Point{}, draw.Src)
			pixels[name] = grey
		}
	}
	order := map[string]int{}
	for i, label := range labels {
		order[label] = i
	}
	var faces []face
	for name, class := range classes {
		faces = append(faces, face{pixels[name], order[class]})
	}
	return faces, nil
}

func readVotes(r io.Reader, classes map[string]string) error {
	rows := csv.NewReader(r)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("label.csv: %w", err)
		}
		total, best := 0, 0
		votes := make([]int, len(row)-2)
		for i := range votes {
			v, err := strconv.Atoi(row[2+i])
			if err != nil {
				return fmt.Errorf("label.csv, %s: %w", row[0], err)
			}
			if v == 1 { // FER+ treats a single vote as a slip
				v = 0
			}
			votes[i] = v
			total += v
			if v > votes[best] {
				best = i
			}
		}
		if best < len(ferLabels) && 2*votes[best] > total {
			classes[row[0]] = ferLabels[best]
		}
	}
}
