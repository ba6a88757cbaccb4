package offer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"mindflow/server/sdpfrag"
)

// transportKeys are the attributes of a section's transport, without its candidates.
var transportKeys = []string{"ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup"}

// bundle puts all sections in use into one BUNDLE group, the only group of the offer that stays: Pion reads no other,
// and rejects sections outside it. A section outside the group is added if its transport is the group's. It returns an
// error for sections with transports of their own, since a session has one transport (RFC 9725, section 4.4.1).
func bundle(offer *sdp.SessionDescription) error {
	mids, rest := groups(offer)
	for _, m := range offer.MediaDescriptions {
		mid := midOf(m)
		if slices.Contains(mids, mid) || !inUse(m) {
			continue
		}
		if len(mids) > 0 && !sameTransport(offer, m, mids[0]) {
			return fmt.Errorf("the offer's section a=mid:%.80s has a transport of its own; "+
				"put all sections into one a=group:BUNDLE", mid)
		}
		mids = append(mids, mid)
	}
	group := strings.Join(append([]string{"BUNDLE"}, mids...), " ")
	offer.Attributes = append(rest, sdp.NewAttribute(sdp.AttrKeyGroup, group))
	shareTransport(offer, mids)
	return nil
}

// groups returns the mids of the first BUNDLE group (RFC 8843), and the attributes of the description that are no
// groups, such as LS (RFC 5888).
func groups(offer *sdp.SessionDescription) (mids []string, rest []sdp.Attribute) {
	for _, a := range offer.Attributes {
		if a.Key != sdp.AttrKeyGroup {
			rest = append(rest, a)
			continue
		}
		if f := strings.Fields(a.Value); mids == nil && len(f) > 1 && f[0] == "BUNDLE" {
			mids = f[1:]
		}
	}
	return mids, rest
}

// sameTransport reports whether a section has the ICE credentials of the section of that mid, its own or those of the
// whole description.
func sameTransport(offer *sdp.SessionDescription, m *sdp.MediaDescription, mid string) bool {
	ufrag := func(m *sdp.MediaDescription) string {
		if own, ok := m.Attribute("ice-ufrag"); ok {
			return own
		}
		whole, _ := offer.Attribute("ice-ufrag")
		return whole
	}
	i := slices.IndexFunc(offer.MediaDescriptions, func(m *sdp.MediaDescription) bool { return midOf(m) == mid })
	return i >= 0 && ufrag(m) == ufrag(offer.MediaDescriptions[i])
}

// shareTransport gives each bundled section the transport of the group's first, the only one that will be used (RFC
// 8843, section 7.3). A publisher that does not know whether bundling is accepted may offer a transport for each
// section, as aiortc does; Pion would refuse the offer.
func shareTransport(offer *sdp.SessionDescription, mids []string) {
	if len(mids) == 0 {
		return
	}
	i := slices.IndexFunc(offer.MediaDescriptions, func(m *sdp.MediaDescription) bool { return midOf(m) == mids[0] })
	if i < 0 {
		return
	}
	first := offer.MediaDescriptions[i]
	ufrag, ok := first.Attribute("ice-ufrag")
	for _, m := range offer.MediaDescriptions {
		own, has := m.Attribute("ice-ufrag")
		if !ok || !has || own == ufrag || !slices.Contains(mids[1:], midOf(m)) {
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
