package portfilter

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"testing"
	"time"
)

// start is the initial time of the tests' clock.
var start = time.Unix(1_700_000_000, 0)

var (
	alice   = netip.MustParseAddrPort("192.0.2.1:40000")
	mallory = netip.MustParseAddrPort("198.51.100.9:9")
)

// attribute is a STUN attribute.
type attribute struct {
	kind  uint16
	value []byte
}

// message encodes a STUN message with the right length. It computes the value of a fingerprint.
func message(kind uint16, attributes ...attribute) []byte {
	m := binary.BigEndian.AppendUint16(nil, kind)
	m = append(m, 0, 0, 0x21, 0x12, 0xA4, 0x42)
	m = append(m, "transaction!"...)
	for _, a := range attributes {
		size := len(a.value)
		m = binary.BigEndian.AppendUint16(m, a.kind)
		m = binary.BigEndian.AppendUint16(m, uint16(size))
		m = append(m, a.value...)
		m = append(m, make([]byte, (4-size%4)%4)...)
		binary.BigEndian.PutUint16(m[2:], uint16(len(m)-stunHeader))
		if a.kind == attrFingerprint && size == 4 {
			at := len(m) - 8
			binary.BigEndian.PutUint32(m[at+4:], crc32.ChecksumIEEE(m[:at])^fingerprintXOR)
		}
	}
	return m
}

func user(name string) attribute { return attribute{attrUsername, []byte(name)} }

func integrity() attribute { return attribute{attrIntegrity, make([]byte, 20)} }

func fingerprint() attribute { return attribute{attrFingerprint, make([]byte, 4)} }

// request encodes a binding request as a browser sends it.
func request(ufrag string) []byte {
	return message(bindingRequest, user(ufrag+":theirs"),
		attribute{0xC057, []byte{0, 1, 0, 10}}, // Chromium's network information
		attribute{0x802A, make([]byte, 8)},     // ICE-CONTROLLING
		attribute{attrUseCandidate, nil},
		attribute{attrPriority, []byte{0x6E, 0, 0x1E, 0xFF}}, integrity(), fingerprint())
}

func response() []byte { return message(bindingSuccess, integrity(), fingerprint()) }

// record encodes a DTLS record.
func record(kind byte, epoch uint16, body []byte) []byte {
	size := len(body)
	r := []byte{kind, 0xfe, 0xfd, byte(epoch >> 8), byte(epoch), 0, 0, 0, 0, 0, 1, byte(size >> 8), byte(size)}
	return append(r, body...)
}

// fragment encodes a part of a handshake message of length bytes.
func fragment(kind byte, length, offset int, part []byte) []byte {
	size := len(part)
	h := []byte{kind, byte(length >> 16), byte(length >> 8), byte(length), 0, 0,
		byte(offset >> 16), byte(offset >> 8), byte(offset), byte(size >> 16), byte(size >> 8), byte(size)}
	return append(h, part...)
}

// srtp encodes an SRTP packet: a header, and rest bytes.
func srtp(ssrc uint32, rest int) []byte {
	p := []byte{0x80, 96, 0, 1, 0, 0, 0, 1}
	return append(binary.BigEndian.AppendUint32(p, ssrc), make([]byte, rest)...)
}

func srtcp(kind byte, ssrc uint32, size int) []byte {
	p := binary.BigEndian.AppendUint32([]byte{0x80, kind, 0, 6}, ssrc)
	return append(p, make([]byte, size-len(p))...)
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// at is a filter with one peer, whose clock the test sets.
type at struct {
	*Filter
	peer *Peer
	time time.Time
}

func newFilter() *at {
	a := &at{time: start}
	a.Filter = New(func() time.Time { return a.time })
	a.peer = a.NewPeer()
	a.peer.SetUfrag("ours")
	return a
}

// authenticate authenticates an address.
func (a *at) authenticate(t testing.TB, from netip.AddrPort, ufrag string) {
	t.Helper()
	if a.receive(from, request(ufrag)) == nil {
		t.Fatalf("the request of %s was dropped: %v", from, a.counted())
	}
	a.send(from, response())
}

// counted returns the counts above zero.
func (a *at) counted() map[string]uint64 {
	counts := a.Drops()
	for why, n := range counts {
		if n == 0 {
			delete(counts, why)
		}
	}
	return counts
}
