package dataset

import (
	"strconv"
	"strings"

	"mindflow/models"
	"mindflow/pipeline/field"
)

// OfModel is the order of the model's classes, from 0, for Options.Numbered. The others are orders of package models.
const OfModel = "model"

// Numberings returns the values of Options.Numbered.
func Numberings() []string {
	return []string{OfModel, models.RAFDB, models.AffectNet7, models.AffectNet8}
}

// numbering returns the class of each folder's name, nil if folders have names.
func (o Options) numbering() (map[string]string, error) {
	classes, first := models.LabelOrder(o.Numbered), 0
	switch {
	case o.Numbered == "":
		return nil, nil
	case o.Numbered == OfModel:
		classes = o.Labels
	case o.Numbered == models.RAFDB:
		first = 1
	case classes == nil:
		return nil, field.Valuef("Numbered", o.Numbered, "use one of %s", strings.Join(Numberings(), ", "))
	}
	names := map[string]string{}
	for i, class := range classes {
		names[strconv.Itoa(first+i)] = class
	}
	return names, nil
}
