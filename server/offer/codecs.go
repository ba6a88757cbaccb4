package offer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"mindflow/pipeline"
)

// AllCodecs returns the codecs that can be served.
func AllCodecs() []pipeline.Codec {
	return []pipeline.Codec{pipeline.VP8, pipeline.H264, pipeline.VP9, pipeline.AV1}
}

// Codecs are the codecs that a server accepts.
type Codecs struct {
	list    []pipeline.Codec
	ordered bool // in the server's order of preference; otherwise the publisher's order counts
}

// NewCodecs returns the codecs wanted, in that order of preference; without any, all codecs in the publisher's order.
func NewCodecs(wanted []pipeline.Codec) (Codecs, error) {
	if len(wanted) == 0 {
		return Codecs{list: AllCodecs()}, nil
	}
	for i, c := range wanted {
		if !slices.Contains(AllCodecs(), c) {
			return Codecs{}, fmt.Errorf("codec %q is none of %s", c, join(AllCodecs()))
		}
		if slices.Contains(wanted[:i], c) {
			return Codecs{}, fmt.Errorf("codec %s is named twice", c)
		}
	}
	return Codecs{list: wanted, ordered: true}, nil
}

func join(list []pipeline.Codec) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// List returns the codecs.
func (c Codecs) List() []pipeline.Codec { return c.list }

// named finds a codec by its name in SDP, ignoring case.
func (c Codecs) named(name string) (pipeline.Codec, bool) {
	i := slices.IndexFunc(c.list, func(codec pipeline.Codec) bool { return strings.EqualFold(string(codec), name) })
	if i < 0 {
		return "", false
	}
	return c.list[i], true
}

// OfMIME finds a codec by its MIME type, such as video/VP8.
func (c Codecs) OfMIME(mime string) (pipeline.Codec, bool) {
	kind, name, _ := strings.Cut(mime, "/")
	if !strings.EqualFold(kind, "video") {
		return "", false
	}
	return c.named(name)
}

// prefer puts the formats of an answered video section in the server's order: a publisher sends the first (RFC 3264,
// section 6.1).
func (c Codecs) prefer(m *sdp.MediaDescription) {
	if !c.ordered || m.MediaName.Media != "video" {
		return
	}
	rank := map[string]int{}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		payloadType, encoding, _ := strings.Cut(a.Value, " ")
		name, _, _ := strings.Cut(encoding, "/")
		rank[payloadType] = len(c.list) // retransmissions last
		if codec, ok := c.named(name); ok {
			rank[payloadType] = slices.Index(c.list, codec)
		}
	}
	slices.SortStableFunc(m.MediaName.Formats, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
}
