package dan

import (
	"fmt"

	"mindflow/models/onnx"
)

// builder writes the parts of the network in the order in which data passes them.
type builder struct {
	writer
	weights weights
	heads   int
}

// features is ResNet-18 without its pooling and classifier: [n,3,h,w] to [n,512,h/32,w/32].
func (b *builder) features(x string) string {
	first := b.active(b.relu(b.conv("features.0", b.active(x), b.weights.folded("features.0", "features.1"),
		window{7, 2})))
	x = b.node("MaxPool", "features.3", []string{first},
		onnx.Ints("kernel_shape", 3, 3), onnx.Ints("strides", 2, 2), onnx.Ints("pads", 1, 1, 1, 1))
	b.picked(first, x)
	for _, k := range blocks() {
		y := b.active(b.relu(b.conv(k.name+".conv1", x, b.weights.folded(k.name+".conv1", k.name+".bn1"),
			window{3, int64(k.stride)})))
		y = b.active(b.conv(k.name+".conv2", y, b.weights.folded(k.name+".conv2", k.name+".bn2"), window{3, 1}))
		if k.stride > 1 {
			x = b.active(b.conv(k.name+".downsample", x,
				b.weights.folded(k.name+".downsample.0", k.name+".downsample.1"), window{1, int64(k.stride)}))
		}
		x = b.active(b.relu(b.node("Add", k.name, []string{y, x})))
	}
	return x
}

// spatialAttention gives the gates of all heads, [n,heads,rows,columns]. The wide convolution is one a
// head and not a grouped one: ONNX Runtime computes the same numbers 5 % faster that way on a CPU.
func (b *builder) spatialAttention(x string) string {
	var squeeze []affine
	for i := range b.heads {
		head := b.head(i)
		squeeze = append(squeeze, b.weights.folded(head+"sa.conv1x1.0", head+"sa.conv1x1.1"))
	}
	all := b.active(b.conv("heads.squeeze", x, join(squeeze...), window{1, 1}))
	squeezed := b.split("heads.squeeze", all, b.heads)
	b.picked(all, squeezed...)
	axis := b.integers("channels.axis", 1)
	var gates []string
	for i, y := range squeezed {
		head := b.head(i)
		y = b.active(b.relu(b.conv(head+"spread", y, b.weights.spatial(head), window{3, 1})))
		gates = append(gates, b.node("ReduceSum", head+"gate", []string{y, axis}))
	}
	return b.node("Concat", "attention", gates, onnx.Int("axis", 1))
}

// pool gates the features by each head and takes the mean over places: [heads,n,512]. The gates are in
// the thousands, so they are divided by the number of places before the sum and not after it.
func (b *builder) pool(features, attention string) string {
	places := b.integers("places.shape", 0, 0, -1)
	x := b.node("Reshape", "features.places", []string{features, places})
	gates := b.node("Reshape", "attention.places", []string{attention, places})
	count := b.node("Gather", "places.count", []string{
		b.node("Shape", "attention.places.shape", []string{gates}),
		b.integers("places.index", 2),
	})
	count = b.node("Cast", "places.count.float", []string{count}, onnx.Int("to", int64(onnx.Float32)))
	gates = b.node("Div", "attention.mean", []string{gates, count})
	gates = b.node("Transpose", "attention.columns", []string{gates}, onnx.Ints("perm", 0, 2, 1))
	pooled := b.node("MatMul", "pooled", []string{x, gates}) // [n,512,heads]
	return b.node("Transpose", "pooled.heads", []string{pooled}, onnx.Ints("perm", 2, 0, 1))
}

// channelAttention weighs the channels of each head: [heads,n,512] to the same.
func (b *builder) channelAttention(x string) string {
	var reduce, restore []affine
	for i := range b.heads {
		head := b.head(i)
		reduce = append(reduce, b.weights.folded(head+"ca.attention.0", head+"ca.attention.1").transposed())
		restore = append(restore, b.weights.layer(head+"ca.attention.3").transposed())
	}
	y := b.relu(b.linear("heads.reduce", x, join(reduce...), channels, hidden))
	y = b.linear("heads.restore", y, join(restore...), hidden, channels)
	y = b.node("Sigmoid", "heads.weights", []string{y})
	return b.node("Mul", "heads.weighted", []string{x, y})
}

// linear applies a linear layer of its own to each head.
func (b *builder) linear(name, x string, a affine, in, out int64) string {
	heads := int64(b.heads)
	y := b.node("MatMul", name+".product", []string{x, b.weight(name+".weight", a.weight, heads, in, out)})
	return b.node("Add", name, []string{y, b.exact(name+".bias", a.bias, heads, 1, out)})
}

// fuse is the log-softmax over the heads, not over the channels, then their sum: [n,512]. With one
// head it would give zeros, so the authors skip it.
func (b *builder) fuse(x string) string {
	if b.heads > 1 {
		x = b.node("LogSoftmax", "heads.log", []string{x}, onnx.Int("axis", 0))
	}
	return b.node("ReduceSum", "fused", []string{x, b.integers("heads.axis", 0)}, onnx.Int("keepdims", 0))
}

// classify writes the output "logits" [n,classes].
func (b *builder) classify(x string, classes int) {
	a := b.weights.folded("fc", "bn")
	b.node("Gemm", "logits", []string{
		x,
		b.weight("fc.weight", a.weight, int64(classes), channels),
		b.exact("fc.bias", a.bias, int64(classes)),
	}, onnx.Int("transB", 1))
}

func (b *builder) head(i int) string { return fmt.Sprintf("cat_head%d.", i) }
