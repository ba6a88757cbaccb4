package receive

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
)

// nalus splits a unit in Annex B into NAL units.
func nalus(data []byte) (list [][]byte) {
	for _, n := range bytes.Split(data, []byte{0, 0, 1}) {
		if n = bytes.TrimRight(n, "\x00"); len(n) > 0 {
			list = append(list, n)
		}
	}
	return list
}

// ofKind gives the NAL units of one type.
func ofKind(list [][]byte, kind byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(list), func(n []byte) bool { return n[0]&31 != kind })
}

// line is packets under way, numbered as they are sent.
type line struct{ packets []*rtp.Packet }

// send sends payloads of one time, of which the last has the marker.
func (l *line) send(at uint32, payloads ...[]byte) {
	for i, payload := range payloads {
		l.packets = append(l.packets, &rtp.Packet{
			Header: rtp.Header{
				SequenceNumber: uint16(65530 + len(l.packets)),
				Timestamp:      at,
				Marker:         i == len(payloads)-1,
			},
			Payload: payload,
		})
	}
}

// aggregate joins NAL units to one payload (RFC 6184, section 5.7.1).
func aggregate(list ...[]byte) []byte {
	payload := []byte{0x78}
	for _, n := range list {
		payload = append(payload, byte(len(n)>>8), byte(len(n)))
		payload = append(payload, n...)
	}
	return payload
}

// pieces cuts a NAL unit into payloads (section 5.8), or leaves it whole when it is short.
func pieces(nalu []byte) (list [][]byte) {
	if len(nalu) <= 1000 {
		return [][]byte{nalu}
	}
	parts := slices.Collect(slices.Chunk(nalu[1:], 1000))
	for i, part := range parts {
		head := nalu[0] & 31
		if i == 0 {
			head |= 0x80
		}
		if i == len(parts)-1 {
			head |= 0x40
		}
		list = append(list, append([]byte{nalu[0]&0xe0 | naluFUA, head}, part...))
	}
	return list
}

// slicesOf gives the payloads of a unit's slices.
func slicesOf(u pipeline.Unit) (payloads [][]byte) {
	for _, n := range nalus(u.Data) {
		if kind := n[0] & 31; kind <= naluIDR {
			payloads = append(payloads, pieces(n)...)
		}
	}
	return payloads
}

// parameters gives the first sequence and picture parameter set of a key unit.
func parameters(u pipeline.Unit) (sps, pps []byte) {
	list := nalus(u.Data)
	return ofKind(list, naluSPS)[0], ofKind(list, naluPPS)[0]
}

// TestH264Parameters sends a real stream whose parameter sets come in all the ways that senders have,
// for each of three parts: 320x240, another size, and that size with other picture parameters.
func TestH264Parameters(t *testing.T) {
	const frames, keys = 12, "4" // three key units a part
	part := func(i int, size, qp string) []pipeline.Unit {
		return later(
			testkit.Encode(
				t,
				pipeline.H264,
				strings.Fields("-f lavfi -i testsrc2=size="+size+":rate=30 -frames:v 12 -g "+
					keys+" -qp "+qp)...),
			i*frames,
		)
	}
	parts := [][]pipeline.Unit{part(0, "320x240", "24"), part(1, "180x320", "24"), part(2, "180x320", "33")}
	sizes := []string{"320x240", "180x320", "180x320"}
	_, ppsBefore := parameters(parts[1][0])
	spsAfter, ppsAfter := parameters(parts[2][0])
	if spsBefore, _ := parameters(parts[1][0]); !bytes.Equal(spsBefore, spsAfter) || bytes.Equal(ppsBefore, ppsAfter) {
		t.Fatal("the last part should differ by its picture parameters alone")
	}
	once := func(i int) bool { return i == 0 } // in a part
	for _, tt := range []struct {
		name string
		send func(l *line, i int, u pipeline.Unit, sps, pps []byte)
	}{
		{"with each key unit, aggregated", func(l *line, _ int, u pipeline.Unit, sps, pps []byte) {
			if payloads := slicesOf(u); u.Key {
				l.send(u.RTP, append([][]byte{aggregate(sps, pps)}, payloads...)...)
			} else {
				l.send(u.RTP, payloads...)
			}
		}},
		{"once, in packets of the key unit", func(l *line, i int, u pipeline.Unit, sps, pps []byte) {
			if payloads := slicesOf(u); once(i) {
				l.send(u.RTP, append([][]byte{sps, pps}, payloads...)...)
			} else {
				l.send(u.RTP, payloads...)
			}
		}},
		{"once, in a packet of its own", func(l *line, i int, u pipeline.Unit, sps, pps []byte) {
			if once(i) {
				l.send(u.RTP-1500, aggregate(sps, pps))
			}
			l.send(u.RTP, slicesOf(u)...)
		}},
		{"once, two packets apart, without markers", func(l *line, i int, u pipeline.Unit, sps, pps []byte) {
			if once(i) {
				l.send(u.RTP-1500, sps)
				l.send(u.RTP-1500, pps)
				l.packets[len(l.packets)-1].Marker, l.packets[len(l.packets)-2].Marker = false, false
			}
			l.send(u.RTP, slicesOf(u)...)
		}},
		{"each once, when it changes", func(l *line, i int, u pipeline.Unit, sps, pps []byte) {
			switch payloads := slicesOf(u); {
			case once(i) && bytes.Equal(pps, ppsAfter): // the sequence parameters hold on
				l.send(u.RTP, append([][]byte{pps}, payloads...)...)
			case once(i):
				l.send(u.RTP, append([][]byte{sps, pps}, payloads...)...)
			default:
				l.send(u.RTP, payloads...)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &line{}
			for _, units := range parts {
				sps, pps := parameters(units[0])
				for i, u := range units {
					tt.send(l, i, u, sps, pps)
				}
			}
			got := receive(t, pipeline.H264, l.packets)
			if len(got) != len(parts)*frames {
				t.Fatalf("%d pictures, want %d", len(got), len(parts)*frames)
			}
			for i, units := range parts {
				checkReceived(t, pipeline.H264, got[i*frames:(i+1)*frames], units, sizes[i])
			}
		})
	}
}
