package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"mindflow/pipeline"
)

// maxID is the largest id of a request: JavaScript's numbers are exact up to it.
const maxID = 1<<53 - 1

// request is a message of the publisher's on the control channel: web/PROTOCOL.md.
type request struct {
	Type    string
	ID      *int64  // chosen by the publisher, and part of the answer
	changes changes // of the type options
}

// changes are the fields of a request of the type options. What is nil stays as it is.
type changes struct {
	model     *string
	attention *bool
}

// parseRequest reads a request. When it cannot, it returns a reply that says why.
func parseRequest(data []byte) (request, *reply) {
	var r request
	fields, err := fieldsOf(data)
	if err != nil {
		return request{}, refusal(nil, "bad-message", err.Error())
	}
	var id int64
	if err := json.Unmarshal(fields["id"], &id); err == nil && id >= 0 && id <= maxID && fields["id"][0] != 'n' {
		r.ID = &id
	}
	var version int
	if err := json.Unmarshal(fields["v"], &version); err != nil || version != pipeline.Version {
		return request{}, refusal(r.ID, "bad-version", "this server speaks version 1")
	}
	if r.ID == nil {
		return request{}, refusal(nil, "bad-message", "a request has an id, an integer from 0 to 9007199254740991")
	}
	if value, ok := fields["type"]; ok && json.Unmarshal(value, &r.Type) != nil {
		return request{}, refusal(r.ID, "bad-message", "the type of a request is a text")
	}
	if r.Type == "options" {
		if fault := r.changes.parse(fields); fault != "" {
			return request{}, refusal(r.ID, "bad-message", fault)
		}
	}
	return r, nil
}

// fieldsOf returns the fields of a JSON object by their names. Unlike json.Unmarshal into a struct it minds the case of
// names, and returns an error for a name that occurs twice.
func fieldsOf(data []byte) (map[string]json.RawMessage, error) {
	errNoObject := errors.New(`a request is an object such as {"v":1,"type":"pause","id":1}`)
	if !json.Valid(data) {
		return nil, errNoObject
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, errNoObject
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errNoObject
		}
		key, _ := name.(string)
		if _, twice := fields[key]; twice {
			return nil, fmt.Errorf("%.40q occurs twice", key)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errNoObject
		}
		fields[key] = value
	}
	return fields, nil
}

// parse reads the fields of a request, or returns what is wrong. Unlike an absent field, null has the wrong type.
func (c *changes) parse(fields map[string]json.RawMessage) (fault string) {
	if value, ok := fields["model"]; ok {
		if err := json.Unmarshal(value, &c.model); err != nil || c.model == nil || *c.model == "" {
			return "model is the name of one, a text"
		}
	}
	if value, ok := fields["attention"]; ok {
		if err := json.Unmarshal(value, &c.attention); err != nil || c.attention == nil {
			return "attention is true or false"
		}
	}
	return ""
}

// choice is what a publisher may change during its session. It is replaced, never changed.
type choice struct {
	analysis  pipeline.Analysis
	attention bool // labels have attention maps
}

// modelInfo is what a page needs to know about a classifier.
type modelInfo struct {
	Name      string   `json:"name"`
	Labels    []string `json:"labels"`
	Uncertain float32  `json:"uncertain"`
	Attention bool     `json:"attention"`
}

func infoOf(m pipeline.Model) modelInfo {
	return modelInfo{m.Name, m.Labels, m.Uncertain, m.HasAttention()}
}
