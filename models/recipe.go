package models

import (
	"fmt"
	"strings"
)

// Recipe describes how to get a model that cannot be downloaded automatically: a checkpoint behind a page that needs a
// browser, to be imported.
type Recipe struct {
	Name         string   `json:"name"` // of the resulting model
	About        string   `json:"about"`
	Licence      string   `json:"licence"` // of the weights
	TrainingData string   `json:"training_data"`
	Steps        []string `json:"steps"` // in order
}

func (r Recipe) String() string {
	return fmt.Sprintf("%s is not there yet: %s", r.Name, strings.Join(r.Steps, ", then "))
}

// Recipe returns the recipe of the model of that name.
func (m *Manifest) Recipe(name string) (Recipe, bool) {
	for _, r := range m.Recipes {
		if r.Name == name {
			return r, true
		}
	}
	return Recipe{}, false
}
