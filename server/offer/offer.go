// Package offer parses SDP offers, refuses those that no session can serve, and completes Pion's answers. It also holds
// the codecs that a server accepts.
package offer

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/ice/v2"
	"github.com/pion/sdp/v3"

	"mindflow/server/sdpfrag"
)

// Kind is the kind of fault in an offer.
type Kind int

// Kinds of refusals.
const (
	Malformed  Kind = iota // it is not an offer
	Unservable             // it is an offer, but no session can serve it
)

// Refusal is an error of an offer that the publisher must correct.
type Refusal struct {
	Kind   Kind
	Detail string // for the publisher
}

func (r *Refusal) Error() string { return r.Detail }

// Refuse returns a *Refusal. It formats the detail like fmt.Sprintf.
func Refuse(kind Kind, format string, args ...any) error {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}

// Parse parses an SDP offer. It refuses one that no session can serve, before any resource is allocated for it. Its
// error is a *Refusal. It logs what the offer has beside the stream that is read.
func (c Codecs) Parse(body []byte, log *slog.Logger) (*sdp.SessionDescription, error) {
	if len(body) == 0 {
		return nil, Refuse(Malformed, "the body is empty; send an SDP offer")
	}
	if body[len(body)-1] != '\n' { // of the last line, which Pion would not read without
		body = append(slices.Clone(body), "\r\n"...)
	}
	offer := &sdp.SessionDescription{}
	if err := offer.Unmarshal(body); err != nil {
		return nil, Refuse(Malformed, "the body is no SDP offer: %v", err)
	}
	dropHostNames(offer)
	if err := checkTransport(offer); err != nil {
		return nil, Refuse(Malformed, "%v", err)
	}
	stateDirections(offer)
	for _, check := range []func(*sdp.SessionDescription) error{checkSetup, c.checkMedia, bundle} {
		if err := check(offer); err != nil {
			return nil, Refuse(Unservable, "%v", err)
		}
	}
	if err := keepOneStream(offer, log); err != nil {
		return nil, Refuse(Unservable, "%v", err)
	}
	return offer, nil
}

// checkTransport checks that the offer has what ICE and DTLS need (RFC 9725, section 4.4).
func checkTransport(offer *sdp.SessionDescription) error {
	if len(offer.MediaDescriptions) == 0 {
		return fmt.Errorf("the offer has no media sections")
	}
	candidates := 0
	mids := map[string]bool{}
	for _, m := range offer.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		if mid == "" {
			return fmt.Errorf("the offer's %s section lacks a=mid", m.MediaName.Media)
		}
		if mids[mid] { // RFC 5888, section 4
			return fmt.Errorf("the offer has two sections of a=mid:%.80s; each needs its own", mid)
		}
		mids[mid] = true
		found, _ := sdpfrag.Split(m.Attributes)
		candidates += len(found)
		if err := checkCandidates(found); err != nil {
			return err
		}
	}
	if candidates > sdpfrag.MaxCandidates {
		return fmt.Errorf("the offer has %d candidates, over %d", candidates, sdpfrag.MaxCandidates)
	}
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint", sdp.AttrKeyConnectionSetup} {
		if sdpfrag.Attribute(offer, key) == "" {
			return fmt.Errorf("the offer lacks a=%s", key)
		}
	}
	return nil
}

// checkSetup checks in all sections that the publisher starts DTLS, so that no unauthenticated peer reaches the parsers
// of a DTLS client.
func checkSetup(offer *sdp.SessionDescription) error {
	all := slices.Clone(offer.Attributes)
	for _, m := range offer.MediaDescriptions {
		all = append(all, m.Attributes...)
	}
	for _, a := range all {
		if a.Key != sdp.AttrKeyConnectionSetup {
			continue
		}
		if a.Value != "actpass" && a.Value != "active" {
			return fmt.Errorf("the offer has a=setup:%.80s, and this server never starts DTLS: "+
				"offer actpass or active; FFmpeg does so with -whip_flags dtls_active", a.Value)
		}
	}
	return nil
}

// checkCandidates returns an error for a candidate that would make Pion refuse the offer. It accepts unknown types and
// transports: RFC 8839, section 5.1, allows new ones.
func checkCandidates(attributes []sdp.Attribute) error {
	for _, a := range attributes {
		if !a.IsICECandidate() {
			continue
		}
		_, err := ice.UnmarshalCandidate(a.Value)
		if err != nil && !errors.Is(err, ice.ErrUnknownCandidateTyp) && !errors.Is(err, ice.ErrDetermineNetworkType) {
			return fmt.Errorf("the offer's candidate %.80q: %w", a.Value, err)
		}
	}
	return nil
}

// dropHostNames takes out the candidates that name hosts.
func dropHostNames(offer *sdp.SessionDescription) {
	for _, m := range offer.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			return a.IsICECandidate() && sdpfrag.NamesHost(a.Value)
		})
	}
}

// stateDirections adds a direction to sections of audio or video that have none: that of the whole description, or else
// sendrecv (RFC 8866, section 6.7). Pion would omit sections without one from the answer.
func stateDirections(offer *sdp.SessionDescription) {
	directions := []string{sdp.AttrKeySendRecv, sdp.AttrKeySendOnly, sdp.AttrKeyRecvOnly, sdp.AttrKeyInactive}
	meant := sdp.AttrKeySendRecv
	for _, d := range directions {
		if _, ok := offer.Attribute(d); ok {
			meant = d
		}
	}
	for _, m := range offer.MediaDescriptions {
		stated := slices.ContainsFunc(directions, func(d string) bool { return has(m, d) })
		if kind := m.MediaName.Media; !stated && (kind == "audio" || kind == "video") {
			m.WithPropertyAttribute(meant)
		}
	}
}

// checkMedia checks that the offer has one video that the server can decode. Data channels and audio are allowed too.
func (c Codecs) checkMedia(offer *sdp.SessionDescription) error {
	videos := 0
	for _, m := range offer.MediaDescriptions {
		switch kind := m.MediaName.Media; kind {
		case "audio", "application":
		case "video":
			if !inUse(m) {
				continue
			}
			videos++
			if err := checkVideo(m, c); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the offer has a section of %q; only video, audio and application can be answered", kind)
		}
	}
	switch videos {
	case 0:
		return fmt.Errorf("the offer has no video")
	case 1:
		return nil
	}
	return fmt.Errorf("the offer has %d videos; a session takes one", videos)
}

func checkVideo(m *sdp.MediaDescription, c Codecs) error {
	if !has(m, sdp.AttrKeySendOnly) && !has(m, sdp.AttrKeySendRecv) {
		return fmt.Errorf("the offer's video is not marked a=sendonly or a=sendrecv")
	}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		_, encoding, _ := strings.Cut(a.Value, " ")
		name, _, _ := strings.Cut(encoding, "/")
		if _, ok := c.named(name); ok {
			return nil
		}
	}
	return fmt.Errorf("the offer has no video codec that the server decodes: %s", join(c.list))
}

// inUse reports whether a section is enabled: port 0 disables it, unless it is bundled with another.
func inUse(m *sdp.MediaDescription) bool {
	return m.MediaName.Port.Value != 0 || has(m, "bundle-only")
}

func has(m *sdp.MediaDescription, key string) bool {
	_, ok := m.Attribute(key)
	return ok
}

// Complete adds to an answer what Pion omits when it rejects a section, such as audio in an unknown codec: the
// section's mid, and ICE candidates in an accepted section. Pion writes candidates only in the first section, and
// browsers ignore them if that section is rejected. Complete also orders the codecs, rejects simulcast, states the
// largest message of a data channel in bytes, and adds public, the candidates of public addresses.
func (c Codecs) Complete(
	offer, answer *sdp.SessionDescription, maxMessage int, public []sdp.Attribute,
) (string, error) {
	if len(answer.MediaDescriptions) != len(offer.MediaDescriptions) {
		return "", Refuse(Unservable, "only %d of the offer's %d sections can be answered",
			len(answer.MediaDescriptions), len(offer.MediaDescriptions))
	}
	candidates, rest := sdpfrag.Split(answer.MediaDescriptions[0].Attributes)
	answer.MediaDescriptions[0].Attributes = rest
	candidates = append(public, candidates...) // before the mark of their end
	placed := false
	for i, m := range answer.MediaDescriptions {
		c.prefer(m)
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			return a.Key == "simulcast" || a.Key == "rid"
		})
		if m.MediaName.Port.Value == 0 {
			if m.MediaName.Media == "video" && inUse(offer.MediaDescriptions[i]) {
				return "", Refuse(Unservable, "the offer's video cannot be answered: its section is not in use "+
					"with the others' transport, or has no codec in common")
			}
			if mid, _ := offer.MediaDescriptions[i].Attribute(sdp.AttrKeyMID); !has(m, sdp.AttrKeyMID) {
				m.WithValueAttribute(sdp.AttrKeyMID, mid).WithPropertyAttribute(sdp.AttrKeyInactive)
			}
			continue
		}
		if m.MediaName.Media == "application" { // a browser then refuses to send more (RFC 8841, section 6)
			m.WithValueAttribute("max-message-size", strconv.Itoa(maxMessage))
		}
		if !placed {
			m.Attributes = append(m.Attributes, candidates...)
			placed = true
		}
	}
	whole, err := answer.Marshal()
	return string(whole), err
}
