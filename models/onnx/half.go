package onnx

import "math"

// Half gives the bits of the IEEE 754 binary16 number nearest to v, ties to even.
func Half(v float64) uint16 {
	sign := uint16(0)
	if math.Signbit(v) {
		sign = 0x8000
	}
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return 0x7e00
	case a >= 65520: // half way from the largest finite number, 65504, to the next step
		return sign | 0x7c00
	case a < 0x1p-14: // subnormal: steps of 2^-24; rounding up to 2^10 steps gives the least normal number
		return sign | uint16(math.RoundToEven(a*0x1p24))
	}
	fraction, exponent := math.Frexp(a) // a = fraction·2^exponent, fraction in [0.5, 1)
	steps := uint16(math.RoundToEven(fraction * 0x1p11))
	// steps is in [2^10, 2^11]; its leading bit is implied, and a carry moves into the exponent.
	return sign | (uint16(exponent+14)<<10 + steps - 1<<10)
}
