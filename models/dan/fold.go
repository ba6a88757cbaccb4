package dan

import (
	"math"

	"mindflow/models/checkpoint"
)

// epsilon is the constant that PyTorch's batch norms add to the variance.
const epsilon = 1e-5

// affine is a convolution or a linear layer: out rows of weights and a bias for each. It is folded in
// float64, so that rounding happens once, when it is stored.
type affine struct {
	weight []float64
	bias   []float64
}

// weights is a checkpoint that passed check.
type weights map[string]checkpoint.Tensor

func (w weights) values(name string) []float64 {
	values := make([]float64, len(w[name].Data))
	for i, v := range w[name].Data {
		values[i] = float64(v)
	}
	return values
}

// layer reads a convolution or linear layer. One without a bias gets zeros.
func (w weights) layer(name string) affine {
	a := affine{w.values(name + ".weight"), w.values(name + ".bias")}
	if len(a.bias) == 0 {
		a.bias = make([]float64, w[name+".weight"].Shape[0])
	}
	return a
}

// folded reads a layer and multiplies the batch norm that follows it into it.
func (w weights) folded(name, norm string) affine {
	a := w.layer(name)
	gamma, beta := w.values(norm+".weight"), w.values(norm+".bias")
	mean, variance := w.values(norm+".running_mean"), w.values(norm+".running_var")
	row := len(a.weight) / len(a.bias)
	for o := range a.bias {
		scale := gamma[o] / math.Sqrt(variance[o]+epsilon)
		for i := o * row; i < (o+1)*row; i++ {
			a.weight[i] *= scale
		}
		a.bias[o] = (a.bias[o]-mean[o])*scale + beta[o]
	}
	return a
}

// spatial adds the parallel 3×3, 1×3 and 3×1 convolutions of a head into one 3×3: a smaller kernel is
// a 3×3 whose other taps are zero.
func (w weights) spatial(head string) affine {
	sum := affine{make([]float64, channels*squeezed*9), make([]float64, channels)}
	for _, k := range kernels {
		a := w.folded(head+"sa."+k.name+".0", head+"sa."+k.name+".1")
		top, left := (3-k.h)/2, (3-k.w)/2
		for i, v := range a.weight {
			plane, y, x := i/(k.h*k.w), i/k.w%k.h, i%k.w
			sum.weight[plane*9+(top+y)*3+left+x] += v
		}
		for i, v := range a.bias {
			sum.bias[i] += v
		}
	}
	return sum
}

// join stacks layers: those that read the same input become one, those of several heads one tensor.
func join(layers ...affine) affine {
	var all affine
	for _, a := range layers {
		all.weight = append(all.weight, a.weight...)
		all.bias = append(all.bias, a.bias...)
	}
	return all
}

// transposed turns [out, in] weights into [in, out], as a MatMul from the right takes them.
func (a affine) transposed() affine {
	out := len(a.bias)
	in := len(a.weight) / out
	t := affine{make([]float64, len(a.weight)), a.bias}
	for o := range out {
		for i := range in {
			t.weight[i*out+o] = a.weight[o*in+i]
		}
	}
	return t
}
