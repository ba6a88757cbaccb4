package engine

import (
	"mindflow/pipeline"
	"mindflow/pipeline/field"
)

// Preset is a named way to analyse.
type Preset struct {
	// pictures of video files are converted to BGR and back, as OpenCV does, whose rounding changes what Haar finds
	BGR   bool
	adapt func(pipeline.Model) pipeline.Model // changes how a classifier is fed
}

// LookupPreset returns the preset of that name. The empty name changes nothing.
func LookupPreset(name string) (Preset, error) {
	switch name {
	case "":
		return Preset{adapt: func(m pipeline.Model) pipeline.Model { return m }}, nil
	case "notebook":
		return Preset{true, notebook}, nil
	}
	return Preset{}, field.Valuef("Preset", name, "unknown; the presets are: notebook")
}

// notebook feeds a classifier like the notebook that Mindflow began as (bench/notebook_loop.py).
func notebook(m pipeline.Model) pipeline.Model {
	m.Input.Size, m.Input.Filter = 224, pipeline.Triangle
	m.Input.Colour, m.Input.Channels = pipeline.RGB, 3
	m.Input.Scale = 1.0 / 255
	m.Input.Mean, m.Input.Std = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225} // ImageNet's
	m.Crop = &pipeline.CropRule{MarginPx: 60}
	m.Temperature, m.Uncertain = 1, 0
	return m
}
