package engine

import (
	"mindflow/pipeline"
	"mindflow/pipeline/field"
)

// Preset is a known way to analyse, under one name.
type Preset struct {
	BGR  bool // pictures of video files go by way of OpenCV's, whose rounding Haar cascades feel
	feed func(pipeline.Model) pipeline.Model
}

// LookupPreset gives the preset of that name; "" is one that changes nothing.
func LookupPreset(name string) (Preset, error) {
	switch name {
	case "":
		return Preset{feed: func(m pipeline.Model) pipeline.Model { return m }}, nil
	case "notebook":
		return Preset{true, notebook}, nil
	}
	return Preset{}, field.Valuef("Preset", name, "unknown; the presets are: notebook")
}

// notebook feeds a classifier as the notebook does that Mindflow began as: bench/notebook/notebook_loop.py states it.
func notebook(m pipeline.Model) pipeline.Model {
	m.Input.Size, m.Input.Filter = 224, pipeline.Triangle
	m.Input.Colour, m.Input.Channels = pipeline.RGB, 3
	m.Input.Scale = 1.0 / 255
	m.Input.Mean, m.Input.Std = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225} // ImageNet's
	m.Crop = &pipeline.CropRule{MarginPx: 60}
	m.Temperature, m.Uncertain = 1, 0
	return m
}
