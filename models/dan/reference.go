package dan

import (
	"fmt"
	"math"

	"mindflow/models/checkpoint"
)

// Reference states DAN (arXiv 2109.07270) layer by layer, in float64, as the authors' code runs it and
// without any of Build's rewrites: what the graph is held against. x is one normalised picture,
// [3,h,w]; gates are [heads,h/32,w/32]. tensors must have passed Inspect. A picture of 64 by 64 takes
// 0.2 seconds.
func Reference(tensors map[string]checkpoint.Tensor, x []float32, h, w int) (logits, gates []float64) {
	input := newGrid(3, h, w)
	for i, v := range x {
		input.v[i] = float64(v)
	}
	p := plain(tensors)
	heads := 0
	for p[fmt.Sprintf("cat_head%d.sa.conv1x1.0.weight", heads)].Data != nil {
		heads++
	}
	return p.run(p.features(input), heads)
}

// grid is a float64 picture of many channels, [c,h,w].
type grid struct {
	c, h, w int
	v       []float64
}

func newGrid(c, h, w int) grid { return grid{c, h, w, make([]float64, c*h*w)} }

type plain map[string]checkpoint.Tensor

func (p plain) at(name string, i int) float64 { return float64(p[name].Data[i]) }

// conv is a convolution with zeros around the picture.
func (p plain) conv(x grid, name string, stride, padY, padX int) grid {
	shape, weight := p[name+".weight"].Shape, p[name+".weight"].Data
	kh, kw := shape[2], shape[3]
	y := newGrid(shape[0], (x.h+2*padY-kh)/stride+1, (x.w+2*padX-kw)/stride+1)
	for o := range y.c {
		out := y.v[o*y.h*y.w : (o+1)*y.h*y.w]
		if p[name+".bias"].Data != nil {
			for i := range out {
				out[i] = p.at(name+".bias", o)
			}
		}
		for i := range x.c {
			in := x.v[i*x.h*x.w : (i+1)*x.h*x.w]
			for tap := range kh * kw {
				a, b := tap/kw-padY, tap%kw-padX
				k := float64(weight[(o*x.c+i)*kh*kw+tap])
				if k == 0 {
					continue
				}
				for r := range y.h {
					row := r*stride + a
					if row < 0 || row >= x.h {
						continue
					}
					to, from := out[r*y.w:(r+1)*y.w], in[row*x.w:(row+1)*x.w]
					for s := range to {
						if column := s*stride + b; column >= 0 && column < x.w {
							to[s] += k * from[column]
						}
					}
				}
			}
		}
	}
	return y
}

func (p plain) norm(x grid, name string) grid {
	for i := range x.v {
		c := i / (x.h * x.w)
		x.v[i] = (x.v[i]-p.at(name+".running_mean", c))/math.Sqrt(p.at(name+".running_var",
			c)+1e-5)*p.at(name+".weight", c) + p.at(name+".bias", c)
	}
	return x
}

func (p plain) linear(x []float64, name string) grid {
	y := newGrid(p[name+".weight"].Shape[0], 1, 1)
	for o := range y.v {
		y.v[o] = p.at(name+".bias", o)
		for i, v := range x {
			y.v[o] += p.at(name+".weight", o*len(x)+i) * v
		}
	}
	return y
}

func relu(x grid) grid {
	for i, v := range x.v {
		x.v[i] = max(v, 0)
	}
	return x
}

func add(x, y grid) grid {
	for i, v := range y.v {
		x.v[i] += v
	}
	return x
}

func maxPool(x grid) grid {
	y := newGrid(x.c, (x.h-1)/2+1, (x.w-1)/2+1)
	for i := range y.v {
		c, r, s := i/(y.h*y.w), i/y.w%y.h, i%y.w
		y.v[i] = math.Inf(-1)
		for row := max(0, 2*r-1); row <= min(x.h-1, 2*r+1); row++ {
			for column := max(0, 2*s-1); column <= min(x.w-1, 2*s+1); column++ {
				y.v[i] = max(y.v[i], x.v[(c*x.h+row)*x.w+column])
			}
		}
	}
	return y
}

func (p plain) features(x grid) grid {
	x = maxPool(relu(p.norm(p.conv(x, "features.0", 2, 3, 3), "features.1")))
	for layer := 4; layer < 8; layer++ {
		for k := range 2 {
			name := fmt.Sprintf("features.%d.%d.", layer, k)
			stride := 1
			shortcut := x
			if layer > 4 && k == 0 {
				stride = 2
				shortcut = p.norm(p.conv(x, name+"downsample.0", 2, 0, 0), name+"downsample.1")
			}
			y := relu(p.norm(p.conv(x, name+"conv1", stride, 1, 1), name+"bn1"))
			x = relu(add(p.norm(p.conv(y, name+"conv2", 1, 1, 1), name+"bn2"), shortcut))
		}
	}
	return x
}

// head gives the weighted channels and the gate of one head.
func (p plain) head(x grid, name string) (channels, gate []float64) {
	y := p.norm(p.conv(x, name+"sa.conv1x1.0", 1, 0, 0), name+"sa.conv1x1.1")
	sum := p.norm(p.conv(y, name+"sa.conv_3x3.0", 1, 1, 1), name+"sa.conv_3x3.1")
	sum = add(sum, p.norm(p.conv(y, name+"sa.conv_1x3.0", 1, 0, 1), name+"sa.conv_1x3.1"))
	sum = relu(add(sum, p.norm(p.conv(y, name+"sa.conv_3x1.0", 1, 1, 0), name+"sa.conv_3x1.1")))
	places := x.h * x.w
	gate = make([]float64, places)
	for i, v := range sum.v {
		gate[i%places] += v
	}
	channels = make([]float64, x.c)
	for i, v := range x.v {
		channels[i/places] += v * gate[i%places] / float64(places)
	}
	squeezed := relu(p.norm(p.linear(channels, name+"ca.attention.0"), name+"ca.attention.1"))
	for i, v := range p.linear(squeezed.v, name+"ca.attention.3").v {
		channels[i] /= 1 + math.Exp(-v)
	}
	return channels, gate
}

// run gives the logits and the gates of all heads for features.
func (p plain) run(x grid, heads int) (logits, gates []float64) {
	outs := make([][]float64, heads)
	for i := range outs {
		var gate []float64
		outs[i], gate = p.head(x, fmt.Sprintf("cat_head%d.", i))
		gates = append(gates, gate...)
	}
	fused := make([]float64, x.c)
	for c := range fused {
		most, total := math.Inf(-1), 0.0
		for _, out := range outs {
			most = max(most, out[c])
		}
		for _, out := range outs {
			total += math.Exp(out[c] - most)
		}
		for _, out := range outs {
			fused[c] += out[c]
			if heads > 1 { // log-softmax over the heads
				fused[c] -= most + math.Log(total)
			}
		}
	}
	return p.norm(p.linear(fused, "fc"), "bn").v, gates
}
