package models

import (
	"fmt"
	"strings"
)

// Recipe says how to get a model that cannot be fetched for the user: a checkpoint behind a page that
// wants a browser, to be imported.
type Recipe struct {
	Name         string   `json:"name"` // of the model that the steps make
	About        string   `json:"about"`
	Licence      string   `json:"licence"` // of the weights
	TrainingData string   `json:"training_data"`
	Steps        []string `json:"steps"` // what to do, one after the other
}

func (r Recipe) String() string {
	return fmt.Sprintf("%s is not there yet: %s", r.Name, strings.Join(r.Steps, ", then "))
}

// Recipe finds the recipe of a model by name.
func (m *Manifest) Recipe(name string) (Recipe, bool) {
	for _, r := range m.Recipes {
		if r.Name == name {
			return r, true
		}
	}
	return Recipe{}, false
}
