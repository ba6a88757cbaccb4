package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// reason is why a packet is dropped or a request refused.
type reason int

const (
	passed         reason = iota
	malformed             // not a whole TURN message
	unwanted              // a message that no publisher needs
	noAllocation          // of an allocation that does not exist, or ends soon
	tooFast               // too many requests without credentials from one source
	badCredentials        // not issued here
	expired               // credentials that are too old, or of a session that has ended
	forbiddenPeer         // to or from a port that is not the media port
	overQuota             // more allocations than a user, or all users, may have
	reasons
)

func (r reason) String() string {
	return [...]string{
		"admitted", "malformed", "unwanted", "no-allocation", "too-fast", "bad-credentials", "expired",
		"forbidden-peer", "over-quota",
	}[r]
}

// The messages that pass (RFC 8489, section 5; RFC 8656, section 17).
var (
	bindingRequest    = stun.BindingRequest
	allocateRequest   = stun.NewType(stun.MethodAllocate, stun.ClassRequest)
	refreshRequest    = stun.NewType(stun.MethodRefresh, stun.ClassRequest)
	permissionRequest = stun.NewType(stun.MethodCreatePermission, stun.ClassRequest)
	channelRequest    = stun.NewType(stun.MethodChannelBind, stun.ClassRequest)
	sendIndication    = stun.NewType(stun.MethodSend, stun.ClassIndication)
)

const (
	headerLen     = 20
	magicCookie   = 0x2112a442
	maxPacket     = 1500 // bytes, of a message or of channel data
	maxAttributes = 20
	maxPeers      = 8
	maxValue      = 256 // bytes of an attribute other than DATA
)

// attributeSizes has the attributes of a fixed size.
var attributeSizes = map[stun.AttrType]int{
	stun.AttrMessageIntegrity: 20, stun.AttrChannelNumber: 4, stun.AttrLifetime: 4, stun.AttrRequestedAddressFamily: 4,
	stun.AttrRequestedTransport: 4, stun.AttrFingerprint: 4,
}

// message is what the filter reads of a packet.
type message struct {
	kind         stun.MessageType // zero for channel data
	hasIntegrity bool             // which may be wrong
	lifetime     time.Duration
	peers        []netip.AddrPort // of IPv4
	otherPeers   bool             // of another family
}

// check reads a packet strictly, so that Pion reads nothing but what browsers send.
func check(p []byte) (m message, why reason) {
	if len(p) < 4 || len(p) > maxPacket {
		return m, malformed
	}
	switch p[0] >> 6 {
	case 0:
		return checkMessage(p)
	case 1: // RFC 8656, section 12.4: padding is optional over UDP
		length := int(binary.BigEndian.Uint16(p[2:]))
		if p[0] > 0x4f || length > len(p)-4 || len(p)-4-length > 3 {
			return m, malformed
		}
		return m, passed
	}
	return m, malformed
}

func checkMessage(p []byte) (m message, why reason) {
	if !stun.IsMessage(p) || len(p)%4 != 0 {
		return m, malformed
	}
	decoded := stun.Message{Raw: p}
	if decoded.Decode() != nil || int(decoded.Length) != len(p)-headerLen || len(decoded.Attributes) > maxAttributes {
		return m, malformed
	}
	m.kind = decoded.Type
	switch m.kind {
	case bindingRequest, allocateRequest, refreshRequest, permissionRequest, channelRequest, sendIndication:
	default:
		return m, unwanted
	}
	m.lifetime = defaultLifetime
	for _, a := range decoded.Attributes {
		if why := m.read(a, decoded.TransactionID); why != passed {
			return m, why
		}
	}
	peers := len(m.peers)
	switch {
	case peers > maxPeers, m.kind == sendIndication && peers > 1,
		m.kind == channelRequest && (peers != 1 || m.otherPeers):
		return m, unwanted
	}
	return m, passed
}

// Pion gives an allocation defaultLifetime when its request has no lifetime, or one of maxLifetime or more. Requests to
// allocate for less are dropped.
const (
	defaultLifetime = 10 * time.Minute
	maxLifetime     = time.Hour
)

// read reads an attribute of the transaction id.
func (m *message) read(a stun.RawAttribute, id [stun.TransactionIDSize]byte) reason {
	size, fixed := attributeSizes[a.Type]
	if fixed && len(a.Value) != size || a.Type != stun.AttrData && len(a.Value) > maxValue {
		return malformed
	}
	switch a.Type {
	case stun.AttrMessageIntegrity:
		m.hasIntegrity = true
	case stun.AttrEvenPort, stun.AttrReservationToken: // Pion would open sockets to look for a port
		return unwanted
	case stun.AttrRequestedAddressFamily:
		if a.Value[0] != 1 { // relays are of IPv4
			return unwanted
		}
	case stun.AttrLifetime:
		if seconds := time.Duration(binary.BigEndian.Uint32(a.Value)) * time.Second; seconds < maxLifetime {
			m.lifetime = seconds
		}
	case stun.AttrXORPeerAddress:
		return m.readPeer(a, id)
	}
	return passed
}

func (m *message) readPeer(a stun.RawAttribute, id [stun.TransactionIDSize]byte) reason {
	var peer stun.XORMappedAddress // of the same form
	alone := stun.Message{TransactionID: id, Attributes: stun.Attributes{a}}
	if peer.GetFromAs(&alone, a.Type) != nil || len(a.Value) != 4+len(peer.IP) {
		return malformed
	}
	if ip, _ := netip.AddrFromSlice(peer.IP); ip.Is4() {
		m.peers = append(m.peers, netip.AddrPortFrom(ip, uint16(peer.Port)))
	} else {
		m.otherPeers = true
	}
	return passed
}

// filter decides whether Pion reads a packet, and counts those that it does not.
func (s *Server) filter(p []byte, from, to net.Addr) reason {
	m, why := check(p)
	if why == passed {
		why = s.allow(m, from, to)
	}
	if why != passed {
		s.drops[why].Add(1)
	}
	return why
}

// allow decides by what a message is for.
func (s *Server) allow(m message, from, to net.Addr) reason {
	if s.ending.Load() {
		return noAllocation
	}
	switch m.kind {
	case bindingRequest:
		if !s.requests.allow(from, s.cfg.Now()) {
			return tooFast
		}
		return passed
	case allocateRequest:
		if !m.hasIntegrity && !s.requests.allow(from, s.cfg.Now()) {
			return tooFast
		}
		if m.lifetime < defaultLifetime { // Pion does not report how long its allocation will live
			return unwanted
		}
		return passed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.allocations[fiveTupleOf(from, to)]
	switch {
	case r == nil:
		return noAllocation
	case m.kind == refreshRequest:
		r.requested = m.lifetime
	case m.kind == permissionRequest || m.kind == channelRequest:
		if r.ending || s.cfg.Now().After(r.expires.Add(-margin)) {
			return noAllocation
		}
		if m.kind == channelRequest && !s.peers[m.peers[0]] {
			return forbiddenPeer
		}
	}
	return passed
}
