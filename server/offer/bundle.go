package offer

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"mindflow/server/sdpfrag"
)

// transportKeys are the attributes of a section's transport, without its candidates.
var transportKeys = []string{"ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup"}

// shareTransport gives each bundled section the transport of the group's first, the only one that will be used (RFC
// 8843, section 7.3). A publisher that does not know whether bundling is accepted may offer a transport for each
// section, as aiortc does; Pion would refuse the offer.
func shareTransport(offer *sdp.SessionDescription) {
	group, _ := offer.Attribute("group")
	mids := strings.Fields(group)
	if len(mids) < 2 || mids[0] != "BUNDLE" {
		return
	}
	i := slices.IndexFunc(offer.MediaDescriptions, func(m *sdp.MediaDescription) bool { return midOf(m) == mids[1] })
	if i < 0 {
		return
	}
	first := offer.MediaDescriptions[i]
	ufrag, ok := first.Attribute("ice-ufrag")
	for _, m := range offer.MediaDescriptions {
		own, has := m.Attribute("ice-ufrag")
		if !ok || !has || own == ufrag || !slices.Contains(mids[2:], midOf(m)) {
			continue
		}
		_, m.Attributes = sdpfrag.Split(m.Attributes)
		m.Attributes = slices.DeleteFunc(m.Attributes, ofTransport)
		for _, a := range first.Attributes {
			if ofTransport(a) {
				m.Attributes = append(m.Attributes, a)
			}
		}
	}
}

func ofTransport(a sdp.Attribute) bool { return slices.Contains(transportKeys, a.Key) }

func midOf(m *sdp.MediaDescription) string {
	mid, _ := m.Attribute(sdp.AttrKeyMID)
	return mid
}
