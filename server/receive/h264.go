package receive

import (
	"encoding/binary"
	"errors"
	"slices"
)

// NAL unit types of H.264, table 7-1, and of RFC 6184, table 1.
const (
	naluSlice = 1 // up to naluIDR: slices and their partitions
	naluIDR   = 5
	naluSPS   = 7
	naluPPS   = 8
	naluSTAPA = 24
	naluFUA   = 28
)

// maxCarried limits the bytes that wait for a slice, which a publisher may never send.
const maxCarried = 64 << 10

var startCode = []byte{0, 0, 0, 1}

// h264 is RFC 6184 without interleaving (packetization-mode 0 and 1). Pion's depacketizer hides what is needed here:
// the types of the NAL units, and whether a fragment began at its first piece.
type h264 struct {
	buf      []byte
	sps, pps []byte // the last that came
	unit     struct{ slice, idr, sps, pps bool }
	fragment bool // a NAL unit is under way in pieces
}

// begins refuses fragments that are not a first one, and slices that do not start at the picture's first macroblock.
func (h *h264) begins(payload []byte) bool {
	header := payload[0]
	body := payload[1:]
	if header&31 == naluFUA {
		if len(body) < 2 || body[0]&0x80 == 0 {
			return false
		}
		header, body = body[0], body[1:]
	}
	if kind := header & 31; kind < naluSlice || kind > naluIDR {
		return true
	}
	return len(body) > 0 && body[0]&0x80 != 0 // first_mb_in_slice is 0, in Exp-Golomb code 1
}

func (h *h264) add(payload []byte) error {
	kind := payload[0] & 31
	if h.fragment && kind != naluFUA {
		return errFragment
	}
	switch {
	case kind == naluFUA:
		return h.addPiece(payload)
	case kind == naluSTAPA:
		return h.addAggregate(payload[1:])
	case kind >= naluSlice && kind < naluSTAPA:
		h.addNALU(payload)
		return nil
	}
	return errors.New("a NAL unit type of interleaved mode, which is not negotiated")
}

func (h *h264) addNALU(nalu []byte) {
	switch h.note(nalu[0] & 31); nalu[0] & 31 {
	case naluSPS:
		h.sps = append(h.sps[:0], nalu...)
	case naluPPS:
		h.pps = append(h.pps[:0], nalu...)
	}
	h.buf = append(append(h.buf, startCode...), nalu...)
}

// note records that the unit holds a NAL unit of a type.
func (h *h264) note(kind byte) {
	h.unit.slice = h.unit.slice || kind >= naluSlice && kind <= naluIDR
	h.unit.idr = h.unit.idr || kind == naluIDR
	h.unit.sps = h.unit.sps || kind == naluSPS
	h.unit.pps = h.unit.pps || kind == naluPPS
}

// addAggregate adds NAL units, each of which follows its size in two bytes (section 5.7.1).
func (h *h264) addAggregate(rest []byte) error {
	for len(rest) > 0 {
		if len(rest) < 3 {
			return errors.New("an aggregate is cut short")
		}
		size := int(binary.BigEndian.Uint16(rest))
		rest = rest[2:]
		if size == 0 || size > len(rest) {
			return errors.New("an aggregate states a wrong size")
		}
		h.addNALU(rest[:size])
		rest = rest[size:]
	}
	return nil
}

// addPiece adds a fragment of a NAL unit, whose header is spread over the first two bytes (section 5.8).
func (h *h264) addPiece(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("a fragment is cut short")
	}
	first, last := payload[1]&0x80 != 0, payload[1]&0x40 != 0
	if first == h.fragment {
		return errFragment
	}
	if first {
		header := payload[0]&0xe0 | payload[1]&31
		h.note(header & 31)
		h.buf = append(append(h.buf, startCode...), header)
	}
	h.buf = append(h.buf, payload[2:]...)
	h.fragment = !last
	return nil
}

// finish keeps parameter sets without a slice for the next unit, and adds the last parameter sets to an IDR picture
// that has none: some senders send them once, or in a unit of their own.
func (h *h264) finish() (data []byte, key bool, err error) {
	if h.fragment {
		h.reset()
		return nil, false, errFragment
	}
	if !h.unit.slice {
		if len(h.buf) > maxCarried {
			h.reset()
			return nil, false, errNoData
		}
		return nil, false, nil
	}
	data, key = h.buf, h.unit.idr
	if key && !(h.unit.sps && h.unit.pps) {
		if key = len(h.sps) > 0 && len(h.pps) > 0; key {
			data = slices.Concat(startCode, h.sps, startCode, h.pps, data)
		}
	}
	h.reset()
	return data, key, nil
}

func (h *h264) reset() {
	h.buf, h.fragment = h.buf[:0], false
	h.unit.slice, h.unit.idr, h.unit.sps, h.unit.pps = false, false, false, false
}
