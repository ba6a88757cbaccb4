package dataset

import (
	"slices"
	"strconv"
	"strings"

	"mindflow/pipeline/field"
)

// Orders in which data sets number the folders of their classes, for Options.Numbered.
const (
	OfModel    = "model"      // the model's classes, from 0
	RAFDB      = "rafdb"      // RAF-DB's annotation, from 1
	AffectNet7 = "affectnet7" // AffectNet's annotation, from 0
	AffectNet8 = "affectnet8"
)

// affectNet are AffectNet's classes in the order of its annotation, and rafDB those of RAF-DB.
var (
	affectNet = []string{"neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"}
	rafDB     = []string{"surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"}
)

// Numberings returns the values of Options.Numbered.
func Numberings() []string { return []string{OfModel, RAFDB, AffectNet7, AffectNet8} }

// numbering returns the class of each folder's name, nil if folders have names.
func (o Options) numbering() (map[string]string, error) {
	var classes []string
	first := 0
	switch o.Numbered {
	case "":
		return nil, nil
	case OfModel:
		classes = o.Labels
	case RAFDB:
		classes, first = rafDB, 1
	case AffectNet7:
		classes = affectNet[:7]
	case AffectNet8:
		classes = affectNet
	default:
		return nil, field.Valuef("Numbered", o.Numbered, "use one of %s", strings.Join(Numberings(), ", "))
	}
	names := map[string]string{}
	for i, class := range slices.All(classes) {
		names[strconv.Itoa(first+i)] = class
	}
	return names, nil
}
