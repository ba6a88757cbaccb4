// Package sdpfrag reads and writes the bodies of WHIP's PATCH requests: application/trickle-ice-sdpfrag of RFC 8840,
// section 9.
package sdpfrag

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// MediaType is the Content-Type of a fragment.
const MediaType = "application/trickle-ice-sdpfrag"

// MaxCandidates limits the candidates of a fragment: browsers send about ten.
const MaxCandidates = 100

// Attributes that belong to one ICE session.
const (
	ufragKey = "ice-ufrag"
	pwdKey   = "ice-pwd"
)

// Fragment is one side's description of an ICE session.
type Fragment struct {
	Ufrag, Pwd string
	Candidates []Candidate
}

// Candidate is an address of a media section.
type Candidate struct {
	Mid   string // of the section; empty for the first
	Value string // without "candidate:"
}

// Parse reads a fragment. Its ice-ufrag is required: it distinguishes the candidates of an ICE session from those of
// the session before. Lines that do not concern ICE are skipped.
func Parse(body string) (Fragment, error) {
	var f Fragment
	mid := ""
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(line, ":")
		switch {
		case line == "":
		case len(line) < 2 || line[1] != '=':
			return Fragment{}, fmt.Errorf("%.40q is no line of SDP", line)
		case strings.HasPrefix(line, "m="):
			mid = ""
		case key == "a="+sdp.AttrKeyMID:
			mid = value
		case key == "a="+ufragKey:
			f.Ufrag = value
		case key == "a="+pwdKey:
			f.Pwd = value
		case key == "a="+sdp.AttrKeyCandidate:
			if !NamesHost(value) {
				f.Candidates = append(f.Candidates, Candidate{mid, value})
			}
		}
	}
	switch {
	case f.Ufrag == "":
		return Fragment{}, fmt.Errorf("the fragment lacks a=ice-ufrag")
	case len(f.Candidates) > MaxCandidates:
		return Fragment{}, fmt.Errorf("the fragment has %d candidates, over %d", len(f.Candidates), MaxCandidates)
	}
	return f, nil
}

// NamesHost reports whether a candidate's address is the name of a host. The server resolves no names, since a stranger
// chooses them, and learns such a peer's address from its packets (RFC 8445, section 7.3.1.3).
func NamesHost(candidate string) bool {
	f := strings.Fields(candidate)
	if len(f) < 8 || f[6] != "typ" {
		return false // malformed in another way
	}
	_, err := netip.ParseAddr(f[4])
	return err != nil
}

// Of returns the fragment of a description.
func Of(d *sdp.SessionDescription) Fragment {
	f := Fragment{Ufrag: Attribute(d, ufragKey), Pwd: Attribute(d, pwdKey)}
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		for _, a := range m.Attributes {
			if a.Key == sdp.AttrKeyCandidate {
				f.Candidates = append(f.Candidates, Candidate{mid, a.Value})
			}
		}
	}
	return f
}

// String writes the fragment, which has all candidates.
func (f Fragment) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", f.Ufrag, f.Pwd)
	for i, c := range f.Candidates {
		if i == 0 || c.Mid != f.Candidates[i-1].Mid {
			fmt.Fprintf(&b, "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\n", c.Mid)
		}
		fmt.Fprintf(&b, "a=candidate:%s\r\n", c.Value)
	}
	b.WriteString("a=end-of-candidates\r\n")
	return b.String()
}

// Apply returns a copy of d in which f replaces what concerns ICE: the description that would be exchanged for an ICE
// restart.
func (f Fragment) Apply(d *sdp.SessionDescription) (*sdp.SessionDescription, error) {
	text, err := d.Marshal()
	if err != nil {
		return nil, fmt.Errorf("copy description: %w", err)
	}
	c := &sdp.SessionDescription{}
	if err := c.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("copy description: %w", err)
	}
	f.renew(c.Attributes)
	for i, m := range c.MediaDescriptions {
		_, m.Attributes = Split(m.Attributes)
		f.renew(m.Attributes)
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		for _, candidate := range f.Candidates {
			if candidate.Mid == mid || candidate.Mid == "" && i == 0 {
				m.WithValueAttribute(sdp.AttrKeyCandidate, candidate.Value)
			}
		}
	}
	return c, nil
}

func (f Fragment) renew(attributes []sdp.Attribute) {
	for i, a := range attributes {
		switch a.Key {
		case ufragKey:
			attributes[i].Value = f.Ufrag
		case pwdKey:
			attributes[i].Value = f.Pwd
		}
	}
}

// Attribute returns an attribute of the transport, which all sections share (BUNDLE): it may be in any of them, or at
// the level of the session (RFC 8843, section 7). It is empty when there is none.
func Attribute(d *sdp.SessionDescription, key string) string {
	if v, ok := d.Attribute(key); ok {
		return v
	}
	for _, m := range d.MediaDescriptions {
		if v, ok := m.Attribute(key); ok {
			return v
		}
	}
	return ""
}

// Split separates a section's candidates, and the mark of their end, from its other attributes.
func Split(attributes []sdp.Attribute) (candidates, rest []sdp.Attribute) {
	for _, a := range attributes {
		if slices.Contains([]string{sdp.AttrKeyCandidate, sdp.AttrKeyEndOfCandidates}, a.Key) {
			candidates = append(candidates, a)
		} else {
			rest = append(rest, a)
		}
	}
	return candidates, rest
}
