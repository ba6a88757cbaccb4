package container

import (
	"bytes"
	"strings"
	"testing"
)

// live is the head of a Matroska file whose segment states no size.
const live = "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"

// packets is a transport stream of n empty packets.
func packets(size, sync, n int) string {
	data := bytes.Repeat([]byte{0xff}, n*size)
	for at := sync; at < len(data); at += size {
		data[at] = 0x47
	}
	return string(data)
}

// containers are short files: their kind, and by how much they are too short.
var containers = []struct {
	name    string
	data    string
	kind    Kind
	missing int64
}{
	{"one whole box", "\x00\x00\x00\x0cftypisom", ISOMedia, 0},
	{"a second box cut", "\x00\x00\x00\x0cftypisom\x00\x00\x01\x00mdatxx", ISOMedia, 246},
	{"a long box cut", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x01mdat\x00\x00\x00\x01\x00\x00\x00\x00", ISOMedia,
		1<<32 - 16},
	{"a box to the end", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x00mdatxx", ISOMedia, 0},
	{"a box too small for its head", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x04mdatxx", ISOMedia, 0},
	{"what is no box at the end", "\x00\x00\x00\x0cftypisom\xff\xff\xff\xff\x00\x00\x00\x00", ISOMedia, 0},
	{"a length beyond all files", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
		ISOMedia, 0},
	{"a segment of unknown size", "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\xffxx", Matroska, 0},
	{"a segment cut", "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x40\x10xx", Matroska, 14},
	{"a whole segment", "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x82xx", Matroska, 0},
	{"a live segment whose block is cut", live +
		"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x81\x00\xa3\x84xx", Matroska, 2},
	{"a live segment whose cluster is cut", live + "\x1f\x43\xb6\x75\x88\xe7\x81\x00\xa3\x82x", Matroska, 2},
	{"a live segment whose last head is cut", live + "\xe7\x81\x00\xa3", Matroska, 1},
	{"a whole live segment", live + "\x1f\x43\xb6\x75\xff\xe7\x81\x00\xa3\x82xx\x1f\x43\xb6\x75\xff\xe7\x81\x00",
		Matroska, 0},
	{"a live segment and what is none of it", live + "\xa3\x82xx\x99\xffxx", Matroska, 0},
	{"a transport stream cut in a packet", packets(188, 0, 3)[:500], Transport, 64},
	{"a whole transport stream", packets(188, 0, 3), Transport, 0},
	{"a transport stream and what is none of it", packets(188, 0, 3) + "xxx", Transport, 0},
	{"a transport stream with time codes, cut", packets(192, 4, 3)[:391], Transport, 185},
	{"a header that reaches beyond", "\x1a\x45\xdf\xa3\x47\xff", Matroska, 0},
	{"riff cut", "RIFF\x10\x00\x00\x00AVI LIST", AVI, 8},
	{"riff not ended", "RIFF\x00\x00\x00\x00AVI LIST", AVI, 0},
	{"DV cut", "\x1f\x07\x00\xbf" + strings.Repeat("x", 144_000), DV, 143_996},
	{"DV of 60 fields", "\x1f\x07\x00\x3f" + strings.Repeat("x", 239_996), DV, 0},
	{"a cover picture", "ID3\x04\x00\x00\x00\x00", Sound, 0},
	{"HEIC", "\x00\x00\x00\x18ftypheic", HEIF, 0},
	{"AVIF", "\x00\x00\x00\x1cftypavif", HEIF, 0},
	{"a moving AVIF", "\x00\x00\x00\x1cftypavis", HEIF, 0},
	{"any HEIF", "\x00\x00\x00\x1cftypmif1", HEIF, 0},
	{"a JPEG", "\xff\xd8\xff\xe0", Picture, 0},
	{"a BMP", "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", Picture, 0},
	{"a play list", "#EXTM3U\n", Unknown, 0},
	{"nothing", "", Unknown, 0},
}

func TestMissingBytes(t *testing.T) {
	for _, c := range containers {
		kind := Of([]byte(c.data))
		missing := Missing(kind, bytes.NewReader([]byte(c.data)), int64(len(c.data)))
		if kind != c.kind || missing != c.missing {
			t.Errorf("%s: %q with %d bytes missing, want %q with %d", c.name, kind, missing, c.kind, c.missing)
		}
	}
}

func TestHasGaps(t *testing.T) {
	const head = "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67"
	for _, c := range []struct {
		name, data string
		torn       bool
	}{
		{"whole", head + "\x8f\x1f\x43\xb6\x75\x87\xe7\x81\x00\xa3\x82xx\xec\x81x", false},
		{"zeros in a cluster", head + "\x8f\x1f\x43\xb6\x75\x87\xe7\x81\x00\x00\x00xx\xec\x81x", true},
		{"zeros after a cluster", head + "\x8f\x1f\x43\xb6\x75\x87\xe7\x81\x00\xa3\x82xx\x00\x00x", true},
		{"a block longer than its cluster", head + "\x8f\x1f\x43\xb6\x75\x87\xe7\x81\x00\xa3\x83xx\xec\x81x", true},
		{"a live cluster", head + "\x8f\x1f\x43\xb6\x75\xff\xe7\x81\x00\xa3\x82xx\xec\x81x", false},
		{"zeros in a live segment", live + "\x1f\x43\xb6\x75\xff\xe7\x81\x00\x00\x00\x00\xa3\x82xx", true},
		{"a live segment", live + "\x1f\x43\xb6\x75\xff\xe7\x81\x00\xa3\x82xx", false},
		{"a live segment that is cut", live + "\x1f\x43\xb6\x75\xff\xe7\x81\x00\xa3\x83xx", false},
		{"a live segment whose cluster is cut", live + "\x1f\x43\xb6\x75\x89\xe7\x81\x00\xa3\x82xx", false},
		{"a live segment whose last head is cut", live + "\xe7\x81\x00\xa3", false},
		{"two live recordings", live + "\x1f\x43\xb6\x75\xff\xe7\x81\x00" + live, false},
		{"cut", head + "\x8f\x1f", false},
	} {
		if got := HasGaps(Matroska, strings.NewReader(c.data), int64(len(c.data))); got != c.torn {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzMissingBytes(f *testing.F) {
	for _, c := range containers {
		f.Add([]byte(c.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []Kind{Of(data), ISOMedia, Matroska, AVI, Transport, DV} {
			if n := Missing(kind, bytes.NewReader(data), int64(len(data))); n < 0 {
				t.Errorf("%s: %d bytes are missing", kind, n)
			}
			HasGaps(kind, bytes.NewReader(data), int64(len(data)))
		}
	})
}
