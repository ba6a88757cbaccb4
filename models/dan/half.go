package dan

import (
	"strings"

	"mindflow/models/onnx"
)

// Narrow picks the nodes of a graph made by Build that may compute in half precision: the convolutions with what lies
// between them, which are all but a thousandth of the work. Everything from the gates on stays in float32:
//
//   - a gate is a sum over 512 channels and is in the thousands, where half precision has steps of 2 to 4;
//   - the sums of what it multiplies are larger, by how much depends on the weights, and half precision ends at 65504;
//   - the log-softmax over the heads takes differences of such numbers: there a step of 2 is a factor of e².
//
// What the convolutions give stays under 20 with the weights that ship, on faces and on inputs that drive it high.
func Narrow(n onnx.Node) bool {
	switch n.Op {
	case "Conv", "Relu", "MaxPool", "Add", "Split":
	default:
		return false
	}
	features := strings.HasPrefix(n.Name, "features.")
	spatial := strings.HasPrefix(n.Name, "heads.squeeze") || strings.Contains(n.Name, ".spread")
	return features || spatial
}
