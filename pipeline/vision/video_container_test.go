package vision

import (
	"bytes"
	"testing"
)

// containers are short files: their kind, and by how much they are too short.
var containers = []struct {
	name    string
	data    string
	kind    container
	missing int64
}{
	{"one whole box", "\x00\x00\x00\x0cftypisom", isoMedia, 0},
	{"a second box cut", "\x00\x00\x00\x0cftypisom\x00\x00\x01\x00mdatxx", isoMedia, 246},
	{"a long box cut", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x01mdat\x00\x00\x00\x01\x00\x00\x00\x00", isoMedia, 1<<32 - 16},
	{"a box to the end", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x00mdatxx", isoMedia, 0},
	{"a box too small for its head", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x04mdatxx", isoMedia, 0},
	{"what is no box at the end", "\x00\x00\x00\x0cftypisom\xff\xff\xff\xff\x00\x00\x00\x00", isoMedia, 0},
	{"a length beyond all files", "\x00\x00\x00\x0cftypisom\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff", isoMedia, 0},
	{"a segment of unknown size", "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\xffxx", matroska, 0},
	{"a segment cut", "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x40\x10xx", matroska, 14},
	{"a whole segment", "\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x82xx", matroska, 0},
	{"a header that reaches beyond", "\x1a\x45\xdf\xa3\x47\xff", matroska, 0},
	{"riff cut", "RIFF\x10\x00\x00\x00AVI LIST", avi, 8},
	{"riff not ended", "RIFF\x00\x00\x00\x00AVI LIST", avi, 0},
	{"a cover picture", "ID3\x04\x00\x00\x00\x00", sound, 0},
	{"a play list", "#EXTM3U\n", unknown, 0},
	{"nothing", "", unknown, 0},
}

func TestMissingBytes(t *testing.T) {
	for _, c := range containers {
		kind := containerOf([]byte(c.data))
		missing := missingBytes(kind, bytes.NewReader([]byte(c.data)), int64(len(c.data)))
		if kind != c.kind || missing != c.missing {
			t.Errorf("%s: %q with %d bytes missing, want %q with %d", c.name, kind, missing, c.kind, c.missing)
		}
	}
}

func FuzzMissingBytes(f *testing.F) {
	for _, c := range containers {
		f.Add([]byte(c.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []container{containerOf(data), isoMedia, matroska, avi} {
			if n := missingBytes(kind, bytes.NewReader(data), int64(len(data))); n < 0 {
				t.Errorf("%s: %d bytes are missing", kind, n)
			}
		}
	})
}
