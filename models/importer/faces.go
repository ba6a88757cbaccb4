package importer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"mindflow/pipeline"
	"mindflow/pipeline/vision"
)

// Face is a picture of one face as a network's input.
type Face struct {
	Crop  []float32 // normalised
	Label string    // the name of its folder
}

// FaceFiles returns the pictures in a folder and its subfolders, evenly thinned to at most most.
func FaceFiles(dir string, most int) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".png", ".jpg", ".jpeg", ".webp", ".bmp":
			if err == nil && d.Type().IsRegular() {
				files = append(files, path)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("folder of faces: %w", err)
	}
	slices.Sort(files)
	if len(files) <= most {
		return files, nil
	}
	few := make([]string, most)
	for i := range few {
		few[i] = files[i*len(files)/most]
	}
	return few, nil
}

// ReadFace reads a picture that one face fills.
func ReadFace(path string, in pipeline.Input) (f Face, err error) {
	pic, err := vision.Read(path)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, pic.Close()) }()
	frame, err := pic.Frame()
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	f = Face{make([]float32, in.Len()), filepath.Base(filepath.Dir(path))}
	pipeline.NewSampler(in).Crop(pipeline.Crop{Values: f.Crop}, frame,
		pipeline.Region{W: float32(frame.Width), H: float32(frame.Height)})
	return f, nil
}
