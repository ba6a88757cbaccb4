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
	Crop  pipeline.Crop
	Label string // the name of the folder it lies in
}

// Faces reads the pictures in a folder and in those below it, each of one face that fills it, evenly
// thinned to at most that many.
func Faces(dir string, in pipeline.Input, most int) ([]Face, error) {
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
	n := min(len(files), most)
	sampler := pipeline.NewSampler(in)
	var faces []Face
	for i := range n {
		path := files[i*len(files)/n]
		crop, err := readFace(path, in, sampler)
		if err != nil {
			return nil, err
		}
		faces = append(faces, Face{crop, filepath.Base(filepath.Dir(path))})
	}
	return faces, nil
}

func readFace(path string, in pipeline.Input, s *pipeline.Sampler) (crop pipeline.Crop, err error) {
	pic, err := vision.Read(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pic.Close()) }()
	f, err := pic.Frame()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	crop = make(pipeline.Crop, in.Len())
	s.Crop(crop, f, pipeline.Region{W: float32(f.Width), H: float32(f.Height)})
	return crop, nil
}
