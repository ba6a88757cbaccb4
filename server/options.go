package server

import (
	"encoding/json"
	"fmt"
	"strings"

	"mindflow/pipeline"
)

// choice is what a publisher may change while its session lasts. It is replaced, never changed.
type choice struct {
	analysis  pipeline.Analysis
	attention bool // labels tell where the classifier looks
}

// modelInfo is what a page needs to know of a classifier.
type modelInfo struct {
	Name      string   `json:"name"`
	Labels    []string `json:"labels"`
	Uncertain float32  `json:"uncertain"`
	Attention bool     `json:"attention"`
}

func infoOf(m pipeline.Model) modelInfo {
	return modelInfo{m.Name, m.Labels, m.Uncertain, m.HasAttention()}
}

// models are those that a session may choose.
func (e *Engine) models() []modelInfo {
	list := make([]modelInfo, len(e.Analyses))
	for i, a := range e.Analyses {
		list[i] = infoOf(a.Model)
	}
	return list
}

// analysis finds the one with the named model; no name is the default's. The error names those offered.
func (e *Engine) analysis(name string) (pipeline.Analysis, error) {
	if name == "" {
		return e.Analyses[0], nil
	}
	names := make([]string, len(e.Analyses))
	for i, a := range e.Analyses {
		if a.Model.Name == name {
			return a, nil
		}
		names[i] = a.Model.Name
	}
	return pipeline.Analysis{}, fmt.Errorf("no model offered here is called %.60q; choose one of: %s", name, strings.Join(names, ", "))
}

// model is the one in use.
func (s *session) model() *modelInfo {
	info := infoOf(s.choice.Load().analysis.Model)
	return &info
}

// hello is what a publisher is told first.
func (s *session) hello() reply {
	return reply{Type: "hello", Session: s.id, Model: s.model(), Models: s.engine.models()}
}

// changes are the fields of the request `options`. What is nil stays as it is.
type changes struct {
	model     *string
	attention *bool
}

// parse reads a request, or says what is wrong with it. Unlike absence, null is of the wrong type.
func (c *changes) parse(data []byte) (fault string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return "a request is an object"
	}
	if value, ok := fields["model"]; ok && (json.Unmarshal(value, &c.model) != nil || c.model == nil || *c.model == "") {
		return "model is the name of one, a text"
	}
	if value, ok := fields["attention"]; ok && (json.Unmarshal(value, &c.attention) != nil || c.attention == nil) {
		return "attention is true or false"
	}
	return ""
}

// setOptions serves the request `options`. Where one part is refused, nothing changes.
func (s *session) setOptions(r request) (*modelInfo, *reply) {
	next := *s.choice.Load()
	if name := r.changes.model; name != nil {
		var err error
		if next.analysis, err = s.engine.analysis(*name); err != nil {
			return nil, refusal(r.ID, "unknown-model", err.Error())
		}
	}
	if on := r.changes.attention; on != nil {
		next.attention = *on
	}
	s.choice.Store(&next)
	return s.model(), nil
}
