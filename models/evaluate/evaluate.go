// Package evaluate runs a classifier, or two side by side, over pictures whose class is known.
package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mindflow/models/engine"
	"mindflow/models/evaluate/dataset"
	"mindflow/pipeline"
	"mindflow/pipeline/field"
	"mindflow/pipeline/vision"
)

// Options configures an evaluation.
type Options struct {
	Path   string          // of the data set
	Set    dataset.Options // Labels are set by Run
	Detect bool            // classify the best face in a picture instead of the whole picture

	Progress func(n, total int) // called after each batch
}

// Result holds the metrics of the model, and what was left out.
type Result struct {
	Report
	Unread  []Unread `json:"unread,omitempty"`   // pictures that could not be read
	NoFace  []string `json:"no_face,omitempty"`  // pictures in which the detector found no face
	LeftOut int      `json:"left_out,omitempty"` // pictures of classes that the model does not have
	Versus  *Versus  `json:"vs,omitempty"`
}

// Unread is a picture that could not be read.
type Unread struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// Versus holds the metrics of another model on the same pictures. Both choose among the classes that both have.
type Versus struct {
	Model string `json:"model"`
	Report
	Agreement float64  `json:"agreement"`          // share of the pictures with the same label
	Without   []string `json:"without,omitempty"`  // classes that only one of the two has
	LeftOut   int      `json:"left_out,omitempty"` // pictures of these classes
}

// batchSize is the number of pictures that are read before they are classified.
const batchSize = 64

// evaluation is one run over a set.
type evaluation struct {
	detector pipeline.Detector // nil means that pictures are faces
	classes  []string          // to choose among
	sides    []*side
	result   Result
	agreed   int
	faces    []pipeline.Face
}

// Run classifies the pictures of a set with the engine's classifiers: one, or two to compare.
func Run(ctx context.Context, e *engine.Engine, o Options) (*Result, error) {
	o.Set.Labels = e.Analysis.Model.Labels
	v := &evaluation{classes: o.Set.Labels}
	if o.Detect {
		v.detector = e.Analysis.Detector
	}
	if err := v.addSides(e); err != nil {
		return nil, err
	}
	pictures, leftOut, err := dataset.Read(o.Path, o.Set)
	if err != nil {
		return nil, err
	}
	v.result.LeftOut = leftOut
	if pictures, err = v.compared(pictures, o.Path); err != nil {
		return nil, err
	}
	for done := 0; done < len(pictures); done += batchSize {
		if err := v.batch(ctx, pictures[done:min(done+batchSize, len(pictures))]); err != nil {
			return nil, err
		}
		o.Progress(min(done+batchSize, len(pictures)), len(pictures))
	}
	return v.finish(o)
}

// addSides adds a side for each classifier, and finds the classes that all have.
func (v *evaluation) addSides(e *engine.Engine) error {
	if len(e.Analyses) > 1 {
		other := e.Analyses[1].Model
		both, rest := common(v.classes, other.Labels)
		if len(both) < 2 {
			return field.Valuef("Versus", other.Name,
				"its classes are %q, the other model's %q; name one that has two or more of them", other.Labels,
				v.classes)
		}
		v.classes = both
		v.result.Versus = &Versus{Model: other.Name, Without: rest}
	}
	for _, a := range e.Analyses {
		v.sides = append(v.sides, newSide(a.Classifier, a.Model, v.classes))
	}
	return nil
}

// compared returns the pictures whose class is compared.
func (v *evaluation) compared(pictures []dataset.Picture, path string) ([]dataset.Picture, error) {
	var list []dataset.Picture
	for _, p := range pictures {
		if slices.Contains(v.classes, p.Class) {
			list = append(list, p)
		} else {
			v.result.Versus.LeftOut++
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read data set %s: no picture of a class that both models have: %q", path, v.classes)
	}
	return list, nil
}

func (v *evaluation) finish(o Options) (*Result, error) {
	r := &v.result
	r.Report = v.sides[0].confusion.Report()
	if r.N == 0 && len(r.Unread) > 0 {
		return nil, fmt.Errorf("%s: no picture could be used; %d could not be read, such as %s", o.Path, len(r.Unread),
			r.Unread[0].Error)
	}
	if r.N == 0 {
		return nil, field.Errorf("Via",
			"%s: no face was found in any of %d pictures; with crop the pictures are taken for faces", o.Path,
			len(r.NoFace))
	}
	if r.Versus != nil {
		r.Versus.Report, r.Versus.Agreement = v.sides[1].confusion.Report(), float64(v.agreed)/float64(r.N)
	}
	return r, nil
}

// batch reads and classifies one batch of pictures.
func (v *evaluation) batch(ctx context.Context, pictures []dataset.Picture) error {
	var truths []int
	for _, p := range pictures {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted before %s: %w", p.Name, ctx.Err())
		}
		found, err := v.read(ctx, p, len(truths))
		switch {
		case err != nil:
			v.result.Unread = append(v.result.Unread, Unread{p.Name, err.Error()})
		case !found:
			v.result.NoFace = append(v.result.NoFace, p.Name)
		default:
			truths = append(truths, slices.Index(v.classes, p.Class))
		}
	}
	for _, s := range v.sides {
		if err := s.classify(ctx, truths); err != nil {
			return err
		}
	}
	for i := range truths {
		if len(v.sides) > 1 && v.sides[0].predicted[i] == v.sides[1].predicted[i] {
			v.agreed++
		}
	}
	return nil
}

// read sets the crop at index i of each side to the picture's face. It reports whether there is one.
func (v *evaluation) read(ctx context.Context, p dataset.Picture, i int) (found bool, err error) {
	data, err := p.Read()
	if err != nil {
		return false, fmt.Errorf("read %s: %w", p.Name, err)
	}
	picture, err := vision.Decode(p.Name, data)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, picture.Close()) }()
	f, err := picture.Frame()
	if err != nil {
		return false, fmt.Errorf("read %s: %w", p.Name, err)
	}
	if v.detector == nil {
		for _, s := range v.sides {
			s.sample(i, f, pipeline.Region{W: float32(f.Width), H: float32(f.Height)})
		}
		return true, nil
	}
	if v.faces, err = v.detector.Detect(ctx, v.faces[:0], f); err != nil || len(v.faces) == 0 {
		return false, err
	}
	for _, s := range v.sides {
		s.sample(i, f, s.model.Crop.Region(v.faces[0].Box, f))
	}
	return true, nil
}
