package models

import "slices"

// Orders of expressions in which data sets number their classes, by name. AffectNet's are those of its annotation, from
// 0; RAF-DB's is from 1.
const (
	AffectNet8 = "affectnet8"
	AffectNet7 = "affectnet7"
	RAFDB      = "rafdb"
)

// LabelOrder returns the labels in the named order, or nil if there is none of that name.
func LabelOrder(name string) []string {
	affectNet := []string{"neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"}
	switch name {
	case AffectNet8:
		return affectNet
	case AffectNet7:
		return slices.Delete(affectNet, 7, 8)
	case RAFDB:
		return []string{"surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"}
	}
	return nil
}
