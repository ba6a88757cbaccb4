package dan

import "strings"

// Cost is what a network takes.
type Cost struct {
	Parameters int // learned, or stored in the graph
	MACs       int // multiplications for one picture: of convolutions, linear layers, batch norms and gates
}

// Costs compares the network as the paper draws it with the graph that Build makes, for one picture of
// size by size.
func Costs(heads, classes, size int) (drawn, built Cost) {
	for _, p := range parameters(heads, classes) {
		if strings.Contains(p.name, ".running_") {
			continue
		}
		n := 1
		for _, d := range p.shape {
			n *= d
		}
		drawn.Parameters += n
	}
	var norms int // multiplications of batch norms
	conv := func(in, out, taps, side int) {
		built.MACs += in * out * taps * side * side
		norms += out * side * side
		built.Parameters += in*out*taps + out
	}
	side := half(size)
	conv(3, 64, 49, side)
	side = half(side) // by the pooling
	for _, b := range blocks() {
		if b.stride > 1 {
			side = half(side)
			conv(b.in, b.out, 1, side)
		}
		conv(b.in, b.out, 9, side)
		conv(b.out, b.out, 9, side)
	}
	places := side * side
	conv(channels, heads*squeezed, 1, side)
	conv(squeezed, heads*channels, 9, side)
	built.MACs += heads * channels * (places + 2*hidden) // gates; channel attention
	built.MACs += channels * classes
	built.Parameters += heads*(2*channels*hidden+channels+hidden) + (channels+1)*classes
	drawn.MACs = built.MACs + norms + heads*hidden + classes +
		heads*channels*(6*squeezed+2)*places // the 1×3 and the 3×1, and their norms
	return drawn, built
}

// half is the side of a picture after a layer of stride two.
func half(side int) int { return (side + 1) / 2 }
