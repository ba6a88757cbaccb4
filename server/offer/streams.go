package offer

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// keepOneStream leaves in each section of media one stream and its retransmissions, and takes out what more a sender
// can offer: other tracks, forward error correction, simulcast. The answer then mentions none of them, and a sender
// that obeys it sends one encoding (RFC 8853, section 5.3.2). Pion takes a section with several streams for Plan B and
// refuses it.
func keepOneStream(offer *sdp.SessionDescription) {
	for _, m := range offer.MediaDescriptions {
		kept := keptStreams(m.Attributes)
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			switch a.Key {
			case "simulcast", "rid":
				return true
			case sdp.AttrKeySSRC:
				ssrc, _, _ := strings.Cut(a.Value, " ")
				return !slices.Contains(kept, ssrc)
			case sdp.AttrKeySSRCGroup:
				return !slices.Equal(strings.Fields(a.Value), append([]string{"FID"}, kept...))
			}
			return false
		})
	}
}

// keptStreams returns the first stream of a section and, if a group says so, the one that retransmits it (RFC 5576,
// section 4.2).
func keptStreams(attributes []sdp.Attribute) []string {
	var first string
	for _, a := range attributes {
		if f := strings.Fields(a.Value); a.Key == sdp.AttrKeySSRCGroup && len(f) > 1 {
			first = f[1]
			break
		}
	}
	for _, a := range attributes {
		if a.Key == sdp.AttrKeySSRC && first == "" {
			first, _, _ = strings.Cut(a.Value, " ")
		}
	}
	for _, a := range attributes {
		if f := strings.Fields(a.Value); a.Key == sdp.AttrKeySSRCGroup && len(f) == 3 && f[0] == "FID" && f[1] == first {
			return f[1:]
		}
	}
	return []string{first}
}
