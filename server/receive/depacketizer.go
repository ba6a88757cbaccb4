package receive

import (
	"errors"
	"fmt"

	"github.com/pion/rtp/codecs"

	"mindflow/pipeline"
)

// depacketizer collects the payloads of one unit after the other. Payloads are not empty. They come in order and
// without gaps: reset is called after a gap.
type depacketizer interface {
	begins(payload []byte) bool // reports whether a unit can begin with the payload
	add(payload []byte) error   // reset is called after an error
	// finish returns the unit and prepares for the next, which overwrites data. Without data and error, the payloads so
	// far belong to the next unit.
	finish() (data []byte, key bool, err error)
	reset()
}

func newDepacketizer(codec pipeline.Codec) (depacketizer, error) {
	switch codec {
	case pipeline.VP8:
		return &vp8{}, nil
	case pipeline.VP9:
		return &vp9{}, nil
	case pipeline.H264:
		return &h264{}, nil
	case pipeline.AV1:
		return &av1{}, nil
	}
	return nil, fmt.Errorf("receive: codec %q is none of VP8, VP9, H264, AV1", codec)
}

var (
	errNoData   = errors.New("the unit is empty")
	errFragment = errors.New("a fragment is out of place")

	errManyPackets = errors.New("the unit is in too many packets")
)

// vp8 is RFC 7741.
type vp8 struct {
	packet codecs.VP8Packet
	buf    []byte
}

func (v *vp8) begins(payload []byte) bool {
	_, err := v.packet.Unmarshal(payload)
	return err == nil && v.packet.S == 1 && v.packet.PID == 0
}

func (v *vp8) add(payload []byte) error {
	data, err := v.packet.Unmarshal(payload)
	v.buf = append(v.buf, data...)
	return err
}

func (v *vp8) finish() (data []byte, key bool, err error) {
	data = v.buf
	v.reset()
	if len(data) == 0 {
		return nil, false, errNoData
	}
	return data, data[0]&1 == 0, nil // RFC 6386, section 9.1
}

func (v *vp8) reset() { v.buf = v.buf[:0] }

// vp9 is RFC 9628. The spatial layers of an instant, if there are several, make one unit.
type vp9 struct {
	buf []byte
	key bool
}

func (v *vp9) begins(payload []byte) bool {
	var p codecs.VP9Packet
	_, err := p.Unmarshal(payload)
	return err == nil && p.B && p.SID == 0
}

func (v *vp9) add(payload []byte) error {
	var p codecs.VP9Packet // a used one keeps its reference indices
	data, err := p.Unmarshal(payload)
	if len(v.buf) == 0 {
		v.key = !p.P
	}
	v.buf = append(v.buf, data...)
	return err
}

func (v *vp9) finish() (data []byte, key bool, err error) {
	data, key = v.buf, v.key
	v.reset()
	if len(data) == 0 {
		return nil, false, errNoData
	}
	return data, key, nil
}

func (v *vp9) reset() { v.buf, v.key = v.buf[:0], false }

// av1 is AOMedia's RTP Payload Format for AV1, version 1.0.
type av1 struct {
	packets codecs.AV1Depacketizer
	count   int // packets of this unit
	buf     []byte
	key     bool
}

// maxAV1Packets limits the packets of a unit. Pion copies the whole of an OBU so far with each packet that continues
// it, so that a million small packets would cost hours. A unit may still have more than a megabyte.
const maxAV1Packets = 1024

func (v *av1) begins(payload []byte) bool { return v.packets.IsPartitionHead(payload) }

func (v *av1) add(payload []byte) error {
	if v.count++; v.count > maxAV1Packets {
		return errManyPackets
	}
	data, err := v.packets.Unmarshal(payload)
	if v.packets.N { // the first packet of a coded video sequence (section 4.4)
		v.key = true
	}
	v.buf = append(v.buf, data...)
	return err
}

func (v *av1) finish() (data []byte, key bool, err error) {
	data, key = v.buf, v.key
	cut := v.packets.Y // the last OBU would go on in a next packet
	v.reset()
	switch {
	case cut:
		return nil, false, errFragment
	case len(data) == 0:
		return nil, false, errNoData
	}
	return data, key, nil
}

func (v *av1) reset() {
	v.packets, v.count, v.buf, v.key = codecs.AV1Depacketizer{}, 0, v.buf[:0], false
}
