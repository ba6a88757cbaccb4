package offer

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// StreamIDs are the header extensions that name the encodings of a simulcast and their retransmissions (RFC 8852).
var StreamIDs = []string{sdp.SDESRTPStreamIDURI, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"}

// keepOneStream leaves in each section of media one stream and its retransmissions, and takes out what more a sender
// can offer: other tracks, forward error correction, simulcast. The answer then mentions none of them, and a sender
// that obeys it sends one encoding (RFC 8853, section 5.3.2). Pion takes a section with several streams for Plan B and
// refuses it.
//
// A sender of simulcast may declare the identifiers of its encodings (a=rid) in place of their SSRCs. The first
// identifier then stays for Pion, which finds the stream by it; Complete takes it out of the answer. A video that has
// neither beside other sections is an error: Pion could not tell which section its packets are of.
func keepOneStream(offer *sdp.SessionDescription, log *slog.Logger) error {
	for _, m := range offer.MediaDescriptions {
		kept := keptStreams(m.Attributes)
		rid := ""
		if kept[0] == "" {
			rid, _ = m.Attribute("rid")
		}
		others := map[string]bool{}
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			first, rest, _ := strings.Cut(a.Value, " ")
			switch a.Key {
			case "simulcast":
				return true
			case "rid":
				others[a.Value] = a.Value != rid
				return others[a.Value]
			case sdp.AttrKeyExtMap:
				return rid == "" && slices.Contains(StreamIDs, rest)
			case sdp.AttrKeySSRC:
				others[first] = !slices.Contains(kept, first)
				return others[first]
			case sdp.AttrKeySSRCGroup:
				return !slices.Equal(strings.Fields(a.Value), append([]string{"FID"}, kept...))
			}
			return false
		})
		if rid != "" && !has(m, sdp.AttrKeyMsid) {
			m.WithValueAttribute(sdp.AttrKeyMsid, "- video") // Pion has no track without one
		}
		if m.MediaName.Media != "video" || !inUse(m) {
			continue
		}
		if kept[0] == "" && rid == "" && len(offer.MediaDescriptions) > 1 {
			return fmt.Errorf("the offer's video has neither a=ssrc nor a=rid; " +
				"state its SSRC, or offer the video alone")
		}
		maps.DeleteFunc(others, func(_ string, other bool) bool { return !other })
		if len(others) > 0 {
			log.Info("the first stream of the offer's video is read", "others", len(others))
		}
	}
	return nil
}

// keptStreams returns the first stream of a section and, if a group says so, the one that retransmits it (RFC 5576,
// section 4.2). The first is empty if the section declares none.
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
		f := strings.Fields(a.Value)
		if a.Key == sdp.AttrKeySSRCGroup && len(f) == 3 && f[0] == "FID" && f[1] == first {
			return f[1:]
		}
	}
	return []string{first}
}
