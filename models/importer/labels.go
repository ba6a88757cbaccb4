package importer

import (
	"slices"
	"strings"

	"mindflow/models"
	"mindflow/pipeline/field"
)

// longestLabel is the largest length of a label, in bytes.
const longestLabel = 64

// labelsFor returns the labels for this number of classes: those of Options, or AffectNet-8's for eight. Shapes do
// not tell the order, and two published orders have seven.
func labelsFor(classes int, asked []string) ([]string, error) {
	switch {
	case len(asked) == 0 && classes == 8:
		return models.LabelOrder(models.AffectNet8), nil
	case len(asked) == 0 && classes == 7:
		return nil, field.Errorf("Labels",
			"the checkpoint has 7 classes, which AffectNet-7 and RAF-DB order differently, and its shapes cannot "+
				"tell: use affectnet7 (%s) or rafdb (%s), or a list of your own",
			strings.Join(models.LabelOrder(models.AffectNet7), ", "),
			strings.Join(models.LabelOrder(models.RAFDB), ", "))
	case len(asked) == 0:
		return nil, field.Errorf("Labels", "the checkpoint has %d classes: name them in its order, ONE,TWO,…", classes)
	}
	labels := asked
	if list := models.LabelOrder(strings.ToLower(asked[0])); list != nil && len(asked) == 1 {
		labels = list
	}
	if len(labels) != classes {
		return nil, field.Errorf("Labels", "%d are named (%s), the checkpoint has %d classes", len(labels),
			strings.Join(labels, ", "), classes)
	}
	for i, l := range labels {
		if len(l) > longestLabel {
			return nil, field.Errorf("Labels", "%.80q has %d bytes, want at most %d", l, len(l), longestLabel)
		}
		if slices.Contains(labels[:i], l) {
			return nil, field.Errorf("Labels", "%q is named twice", l)
		}
	}
	return labels, nil
}
