package receive

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// layerOf is the temporal layer of each unit of a group of four: 0 2 1 2.
var layerOf = []int{0, 2, 1, 2}

// layered codes three temporal layers, as browsers do for a server that forwards.
func layered(t *testing.T, codec pipeline.Codec, frames string) []pipeline.Unit {
	t.Helper()
	return testkit.Encode(t, codec, strings.Fields("-f lavfi -i testsrc2=size=320x240:rate=30 -frames:v "+frames+
		" -g 1000 -error-resilient 1 -b:v 600k -ts-parameters ts_number_layers=3:ts_target_bitrate=240,360,600:"+
		"ts_rate_decimator=4,2,1:ts_periodicity=4:ts_layer_id=0,2,1,2:ts_layering_mode=3")...)
}

// describe writes a payload descriptor with layers; n counts units, base those of layer 0.
type describe func(n, base, layer int, key, first, last bool) []byte

// vp8Layers is figure 2 of RFC 7741 with all extensions: X, S; I, L, T, K.
func vp8Layers(n, base, layer int, _, first, _ bool) []byte {
	head := byte(0x80)
	if first {
		head |= 0x10
	}
	d := binary.BigEndian.AppendUint16([]byte{head, 0xf0}, 0x8000|uint16(n))
	return append(d, byte(base), byte(layer<<6)|byte(n&31))
}

// vp9Layers is figure 2 of RFC 9628, not flexible: I, P, L, B, E, V, and with a key unit the scalability
// structure of one spatial layer and a group of four.
func vp9Layers(n, base, layer int, key, first, last bool) []byte {
	head := byte(0x80 | 0x20)
	if !key {
		head |= 0x40
	}
	if first {
		head |= 0x08
	}
	if last {
		head |= 0x04
	}
	structure := key && first
	if structure {
		head |= 0x02
	}
	d := binary.BigEndian.AppendUint16([]byte{head}, 0x8000|uint16(n))
	d = append(d, byte(layer<<5)|0x10, byte(base)) // switching up is possible
	if structure {
		d = append(d, 0x08|0x10, 320>>8, 320&0xff, 0, 240, 4) // one layer, with its size; four pictures
		for _, l := range layerOf {
			d = append(d, byte(l<<5)|0x10|1<<2, 1) // one reference, so far back
		}
	}
	return d
}

// packetizeLayers makes packets of the units in the lowest layers, numbered without gaps: what a
// server that forwards leaves of them.
func packetizeLayers(units []pipeline.Unit, d describe, top int) (packets []*rtp.Packet) {
	base := -1
	for n, u := range units {
		layer := layerOf[n%len(layerOf)]
		if layer == 0 {
			base++
		}
		if layer > top {
			continue
		}
		pieces := slices.Collect(slices.Chunk(u.Data, 1000))
		for i, piece := range pieces {
			first, last := i == 0, i == len(pieces)-1
			packets = append(packets, &rtp.Packet{
				Header:  rtp.Header{SequenceNumber: uint16(65530 + len(packets)), Timestamp: u.RTP, Marker: last},
				Payload: append(d(n, base, layer, u.Key, first, last), piece...),
			})
		}
	}
	return packets
}

// What is left when upper temporal layers are dropped on the way decodes to the same pictures.
func TestTemporalLayers(t *testing.T) {
	for _, tt := range []struct {
		codec    pipeline.Codec
		describe describe
	}{{pipeline.VP8, vp8Layers}, {pipeline.VP9, vp9Layers}} {
		t.Run(string(tt.codec), func(t *testing.T) {
			units := layered(t, tt.codec, "40")
			all := receive(t, tt.codec, packetizeLayers(units, tt.describe, 2))
			checkReceived(t, tt.codec, all, units, "320x240")
			for top := range 2 {
				got := receive(t, tt.codec, packetizeLayers(units, tt.describe, top))
				if want := len(units) >> (2 - top); len(got) != want {
					t.Fatalf("%d pictures in the layers up to %d, want %d", len(got), top, want)
				}
				for i, p := range got {
					if want := all[i<<(2-top)]; p.rtp != want.rtp || !bytes.Equal(p.i420, want.i420) {
						t.Fatalf("picture %d of the layers up to %d differs from that of all layers", i, top)
					}
				}
			}
		})
	}
}
