package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// reason says why something was dropped or refused.
type reason int

const (
	admitted       reason = iota
	malformed             // no TURN message, or one that is not whole
	unwanted              // a message that no publisher needs
	noAllocation          // for an allocation that there is not, or not for long
	tooFast               // from an address that asks without credentials too often
	badCredentials        // none of ours
	expired               // credentials of a session that is over, or that are too old
	forbiddenPeer         // for or from another port than the media port
	overQuota             // more allocations than a user, or all, may have
	reasons
)

func (r reason) String() string {
	return [...]string{"admitted", "malformed", "unwanted", "no-allocation", "too-fast", "bad-credentials", "expired", "forbidden-peer", "over-quota"}[r]
}

// Methods and classes as they stand in a message's first two bytes (RFC 8489, section 5; RFC 8656, section 17).
const (
	bindingRequest    = 0x0001
	allocateRequest   = 0x0003
	refreshRequest    = 0x0004
	permissionRequest = 0x0008
	channelRequest    = 0x0009
	sendIndication    = 0x0016
)

// Attributes (RFC 8489, section 18.3; RFC 8656, section 18).
const (
	attrUsername    = 0x0006
	attrIntegrity   = 0x0008
	attrChannel     = 0x000c
	attrLifetime    = 0x000d
	attrPeer        = 0x0012
	attrData        = 0x0013
	attrRealm       = 0x0014
	attrNonce       = 0x0015
	attrFamily      = 0x0017
	attrEvenPort    = 0x0018
	attrTransport   = 0x0019
	attrReservation = 0x0022
	attrFingerprint = 0x8028
)

const (
	headerLen     = 20
	cookie        = 0x2112a442
	maxPacket     = 1500 // bytes, of a message or of channel data
	maxAttributes = 20
	maxPeers      = 8
	maxText       = 256 // bytes of an attribute that is not Data
)

// message is what the filter makes of a packet.
type message struct {
	kind     uint16 // 0 is channel data
	signed   bool   // has a MESSAGE-INTEGRITY, which may be wrong
	lifetime time.Duration
	peers    []netip.AddrPort // IPv4 ones
	others   bool             // peers of another family
}

// check reads a packet strictly: the library behind it is to see nothing but what a browser sends.
func check(p []byte) (m message, why reason) {
	if len(p) < 4 || len(p) > maxPacket {
		return m, malformed
	}
	switch p[0] >> 6 {
	case 0:
		return checkMessage(p)
	case 1: // RFC 8656, section 12.4: over UDP padding may be left out
		length := int(binary.BigEndian.Uint16(p[2:]))
		if p[0] > 0x4f || length > len(p)-4 || len(p)-4-length > 3 {
			return m, malformed
		}
		return m, admitted
	}
	return m, malformed
}

func checkMessage(p []byte) (m message, why reason) {
	if len(p) < headerLen || binary.BigEndian.Uint32(p[4:]) != cookie {
		return m, malformed
	}
	if length := int(binary.BigEndian.Uint16(p[2:])); length%4 != 0 || length != len(p)-headerLen {
		return m, malformed
	}
	m.kind = binary.BigEndian.Uint16(p)
	switch m.kind {
	case bindingRequest, allocateRequest, refreshRequest, permissionRequest, channelRequest, sendIndication:
	default:
		return m, unwanted
	}
	m.lifetime = leastLifetime
	count := 0
	for rest := p[headerLen:]; len(rest) > 0; count++ {
		if len(rest) < 4 || count == maxAttributes {
			return m, malformed
		}
		kind, length := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		padded := 4 + (length+3)&^3
		if padded > len(rest) {
			return m, malformed
		}
		if why := m.take(kind, rest[4:4+length], p[4:headerLen]); why != admitted {
			return m, why
		}
		rest = rest[padded:]
	}
	if peers := len(m.peers); m.kind == channelRequest && (peers != 1 || m.others) || m.kind == sendIndication && peers > 1 || peers > maxPeers {
		return m, unwanted
	}
	return m, admitted
}

// leastLifetime is an allocation's whose request states none, or more than maxLifetime: both are the library's. A request to
// allocate for less is dropped.
const (
	leastLifetime = 10 * time.Minute
	maxLifetime   = time.Hour
)

// sizes of attributes that have one.
var sizes = map[uint16]int{
	attrIntegrity: 20, attrChannel: 4, attrLifetime: 4, attrFamily: 4, attrTransport: 4, attrFingerprint: 4,
}

// take reads an attribute. id is the cookie and the transaction's id, which addresses are masked with.
func (m *message) take(kind uint16, value, id []byte) reason {
	if size, fixed := sizes[kind]; fixed && len(value) != size || kind != attrData && len(value) > maxText {
		return malformed
	}
	switch kind {
	case attrIntegrity:
		m.signed = true
	case attrEvenPort, attrReservation: // the library would open sockets to look for a port
		return unwanted
	case attrFamily:
		if value[0] != 1 { // relays are of IPv4
			return unwanted
		}
	case attrLifetime:
		if seconds := time.Duration(binary.BigEndian.Uint32(value)) * time.Second; seconds < maxLifetime {
			m.lifetime = seconds
		}
	case attrPeer:
		switch {
		case len(value) == 8 && value[1] == 1:
			var ip [4]byte
			for i := range ip {
				ip[i] = value[4+i] ^ id[i]
			}
			port := binary.BigEndian.Uint16(value[2:]) ^ cookie>>16
			m.peers = append(m.peers, netip.AddrPortFrom(netip.AddrFrom4(ip), port))
		case len(value) == 20 && value[1] == 2:
			m.others = true
		default:
			return malformed
		}
	}
	return admitted
}

// judge says whether the library gets to see a packet, and counts those that it does not.
func (s *Server) judge(p []byte, from, to net.Addr) reason {
	m, why := check(p)
	if why == admitted {
		why = s.allows(m, from, to)
	}
	if why != admitted {
		s.drops[why].Add(1)
	}
	return why
}

// allows looks at what a message is for.
func (s *Server) allows(m message, from, to net.Addr) reason {
	if s.ending.Load() {
		return noAllocation
	}
	switch m.kind {
	case bindingRequest:
		if !s.asking.mayAsk(from, s.cfg.Now()) {
			return tooFast
		}
		return admitted
	case allocateRequest:
		if !m.signed && !s.asking.mayAsk(from, s.cfg.Now()) {
			return tooFast
		}
		if m.lifetime < leastLifetime { // the library does not tell how long what it made will live
			return unwanted
		}
		return admitted
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.held[clientOf(from, to)]
	switch {
	case r == nil:
		return noAllocation
	case m.kind == refreshRequest:
		r.asked = m.lifetime
	case m.kind == permissionRequest || m.kind == channelRequest:
		if r.ending || s.cfg.Now().After(r.until.Add(-margin)) {
			return noAllocation
		}
		if m.kind == channelRequest && !s.peers[m.peers[0]] {
			return forbiddenPeer
		}
	}
	return admitted
}
