package session

import (
	"encoding/json"

	"mindflow/pipeline"
)

// request is a message of the publisher's on the control channel: web/PROTOCOL.md.
type request struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	ID   *int64 `json:"id"` // chosen by the publisher, and part of the answer

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
	if err := json.Unmarshal(data, &r); err != nil { // an id may have been read before the error
		return request{}, refusal(nil, "bad-message", `a request is an object such as {"v":1,"type":"pause","id":1}`)
	}
	if r.V != pipeline.Version {
		return request{}, refusal(r.ID, "bad-version", "this server speaks version 1")
	}
	if r.ID == nil {
		return request{}, refusal(nil, "bad-message", "a request has an id, an integer")
	}
	if r.Type == "options" {
		if fault := r.changes.parse(data); fault != "" {
			return request{}, refusal(r.ID, "bad-message", fault)
		}
	}
	return r, nil
}

// parse reads the fields of a request, or returns what is wrong. Unlike an absent field, null has the wrong type.
func (c *changes) parse(data []byte) (fault string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return "a request is an object"
	}
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
