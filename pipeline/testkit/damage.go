package testkit

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Damage returns copies of pieces (units or packets of a real stream), changed by script. A fuzzer changes the
// script: coverage does not guide it inside C, and random bytes would rarely pass a decoder's first checks. Each 6
// bytes of script are one change: its kind, the index of the piece, two bytes of position in it, and two values. For
// odd kinds the position is within the piece's headers.
func Damage(pieces [][]byte, script []byte) [][]byte {
	const most, headers = 64, 48 // changes; bytes
	damaged := make([][]byte, len(pieces))
	for i, p := range pieces {
		damaged[i] = bytes.Clone(p)
	}
	for n := 0; n < most && len(script) >= 6 && len(damaged) > 0; n++ {
		what, i, a, b := script[0], int(script[1])%len(damaged), script[4], script[5]
		p, at := damaged[i], int(binary.BigEndian.Uint16(script[2:]))
		script = script[6:]
		if what&1 != 0 {
			at %= headers
		}
		if len(p) == 0 {
			continue
		}
		at %= len(p)
		switch what >> 1 % 8 {
		case 0:
			p[at] ^= 1 << (a % 8)
		case 1:
			p[at] = a
		case 2: // numbers of two bytes: sizes and counts
			copy(p[at:], []byte{a, b})
		case 3: // a run of one value
			for j := range min(int(b), len(p)-at) {
				p[at+j] = a
			}
		case 4:
			damaged[i] = p[:at]
		case 5:
			damaged[i] = slices.Insert(p, at, bytes.Repeat([]byte{a}, int(b%16))...)
		case 6: // a part of another piece
			other := damaged[int(a)%len(damaged)]
			copy(p[at:], other[min(int(b), len(other)):])
		case 7: // lost, doubled or out of order
			j := int(a) % len(damaged)
			switch b % 3 {
			case 0:
				damaged = slices.Delete(damaged, i, i+1)
			case 1:
				damaged = slices.Insert(damaged, j, bytes.Clone(p))
			case 2:
				damaged[i], damaged[j] = damaged[j], damaged[i]
			}
		}
	}
	return damaged
}
