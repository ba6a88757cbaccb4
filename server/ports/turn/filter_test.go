package turn

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v3"
	pion "github.com/pion/turn/v4"
)

// attribute encodes an attribute.
func attribute(kind stun.AttrType, value ...byte) []byte {
	a := binary.BigEndian.AppendUint16(nil, uint16(kind))
	a = append(binary.BigEndian.AppendUint16(a, uint16(len(value))), value...)
	return append(a, make([]byte, -len(value)&3)...)
}

func packet(kind stun.MessageType, attributes ...[]byte) []byte {
	body := bytes.Join(attributes, nil)
	p := binary.BigEndian.AppendUint16(nil, kind.Value())
	p = binary.BigEndian.AppendUint16(p, uint16(len(body)))
	p = append(binary.BigEndian.AppendUint32(p, magicCookie), "transaction."...)
	return append(p, body...)
}

var dataIndication = stun.NewType(stun.MethodData, stun.ClassIndication)

func integrity() []byte { return attribute(stun.AttrMessageIntegrity, make([]byte, 20)...) }

func transport() []byte { return attribute(stun.AttrRequestedTransport, 17, 0, 0, 0) }

// peerOf encodes a peer at port zero, masked.
func peerOf(family byte, ip ...byte) []byte {
	return attribute(stun.AttrXORPeerAddress, append([]byte{0, family, 0, 0}, ip...)...)
}

// peer encodes 192.0.2.1:8189, masked.
func peer() []byte {
	return attribute(stun.AttrXORPeerAddress, 0, 1, 0x1f^0x21, 0xfd^0x12, 192^0x21, 0^0x12, 2^0xa4, 1^0x42)
}

var checked = []struct {
	name string
	p    []byte
	why  reason
}{
	{"binding", packet(bindingRequest), passed},
	{"allocate", packet(allocateRequest, transport()), passed},
	{"allocate with integrity", packet(allocateRequest, attribute(stun.AttrUsername, []byte("1:a")...), integrity(),
		attribute(stun.AttrFingerprint, 0, 0, 0, 0)), passed},
	{"refresh", packet(refreshRequest, attribute(stun.AttrLifetime, 0, 0, 0, 0)), passed},
	{"permission", packet(permissionRequest, peer(), integrity()), passed},
	{"channel", packet(channelRequest, attribute(stun.AttrChannelNumber, 0x40, 0, 0, 0), peer(), integrity()), passed},
	{"send", packet(sendIndication, peer(), attribute(stun.AttrData, make([]byte, 1200)...)), passed},
	{"unknown attribute", packet(allocateRequest, attribute(0x802f, 1, 2, 3)), passed},
	{"channel data", []byte{0x40, 1, 0, 3, 'a', 'b', 'c', 0}, passed},
	{"channel data without padding", []byte{0x40, 1, 0, 3, 'a', 'b', 'c'}, passed},
	{"empty channel data", []byte{0x4f, 0xff, 0, 0}, passed},

	{"nothing", nil, malformed},
	{"three bytes", []byte{0, 1, 0}, malformed},
	{"half a header", packet(bindingRequest)[:12], malformed},
	{"no magicCookie", bytes.Replace(packet(bindingRequest), []byte{0x21, 0x12}, []byte{0, 0}, 1), malformed},
	{"longer than it says", append(packet(bindingRequest), 0, 0, 0, 0), malformed},
	{"shorter than it says", packet(allocateRequest, transport())[:24], malformed},
	{"an odd length", slices.Concat([]byte{0, 1, 0, 1}, packet(bindingRequest)[4:], []byte{0}), malformed},
	{"an attribute beyond the end", packet(bindingRequest, []byte{0, 6, 0, 9, 'a', 0, 0, 0}), malformed},
	{"attributes without end", packet(bindingRequest, slices.Repeat(attribute(0x8000), maxAttributes+1)), malformed},
	{"a long name", packet(allocateRequest, attribute(stun.AttrUsername, make([]byte, maxValue+1)...)), malformed},
	{"a short MESSAGE-INTEGRITY", packet(allocateRequest, attribute(stun.AttrMessageIntegrity, 1, 2, 3)), malformed},
	{"a short lifetime", packet(refreshRequest, attribute(stun.AttrLifetime, 1)), malformed},
	{"a peer of four bytes", packet(permissionRequest, attribute(stun.AttrXORPeerAddress, 0, 1, 0, 0)), malformed},
	{"a peer of IPv6 with an address of IPv4", packet(permissionRequest, peerOf(2, 1, 2, 3, 4)), malformed},
	{"a peer of IPv4 with more behind", packet(permissionRequest, peerOf(1, 1, 2, 3, 4, 5, 6, 7, 8)), malformed},
	{"a peer of no family", packet(permissionRequest, peerOf(7, 1, 2, 3, 4)), malformed},
	{"giant", packet(sendIndication, peer(), attribute(stun.AttrData, make([]byte, 1600)...)), malformed},
	{"channel data beyond the end", []byte{0x40, 1, 0, 9, 'a', 'b', 'c', 0}, malformed},
	{"channel data with more behind", []byte{0x40, 1, 0, 0, 'a', 'b', 'c', 'd'}, malformed},
	{"a channel that is reserved", []byte{0x50, 0, 0, 0}, malformed},
	{"RTP", append([]byte{0x80, 96}, make([]byte, 30)...), malformed},
	{"DTLS", append([]byte{22, 254, 253}, make([]byte, 30)...), malformed},

	{"a response", packet(stun.BindingSuccess), unwanted},
	{"a response with a short address", packet(stun.BindingSuccess, attribute(stun.AttrXORMappedAddress)), unwanted},
	{"an allocation's response", packet(stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)), unwanted},
	{"an error", packet(stun.BindingError), unwanted},
	{"data", packet(dataIndication, peer(), attribute(stun.AttrData, 1)), unwanted},
	{"connect", packet(stun.NewType(stun.MethodConnect, stun.ClassRequest), peer()), unwanted},
	{"an even port", packet(allocateRequest, attribute(stun.AttrEvenPort, 0x80)), unwanted},
	{"a reserved port", packet(allocateRequest, attribute(stun.AttrReservationToken, make([]byte, 8)...)), unwanted},
	{"a relay of IPv6", packet(allocateRequest, attribute(stun.AttrRequestedAddressFamily, 2, 0, 0, 0)), unwanted},
	{"a channel to nobody", packet(channelRequest, attribute(stun.AttrChannelNumber, 0x40, 0, 0, 0)), unwanted},
	{"a channel to two", packet(channelRequest, peer(), peer()), unwanted},
	{"too many permissions", packet(permissionRequest, slices.Repeat(peer(), maxPeers+1)), unwanted},
	{"to two at once", packet(sendIndication, peer(), peer(), attribute(stun.AttrData, 1)), unwanted},
}

func TestCheck(t *testing.T) {
	peers := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:8189")}
	for _, c := range checked {
		m, why := check(c.p)
		if why != c.why {
			t.Errorf("%s: %s, want %s", c.name, why, c.why)
		}
		if why == passed && bytes.Contains(c.p, peer()) && !slices.Equal(m.peers, peers) {
			t.Errorf("%s: peers %v", c.name, m.peers)
		}
	}
}

// Shortly before an allocation ends nothing is added to it: Pion would touch a timer that it has not made yet.
func TestNothingIsAddedAtTheEnd(t *testing.T) {
	s := start(t, nil)
	conn, err := s.allocate(t, "udp", "a")
	if err != nil {
		t.Fatal(err)
	}
	m, why := check(packet(permissionRequest, peer(), integrity()))
	if why != passed {
		t.Fatal(why)
	}
	s.mu.Lock()
	var c fiveTuple
	for only := range s.allocations {
		c = only
	}
	s.mu.Unlock()
	from, err := net.ResolveUDPAddr(c.network, c.from)
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ResolveUDPAddr(c.network, c.to)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  reason
	}{
		{0, passed}, {defaultLifetime - margin - time.Minute, passed}, {time.Minute, noAllocation},
		{time.Hour, noAllocation},
	} {
		s.clock.advance(step.after)
		if got := s.allow(m, from, to); got != step.want {
			t.Errorf("%s later: %s, want %s", step.after, got, step.want)
		}
	}
	_ = conn.Close()
}

// FuzzPort sends packets to a server's port, as they are and, since an attacker may have credentials, with integrity. A
// panic in Pion would end the process.
func FuzzPort(f *testing.F) {
	for _, c := range checked {
		f.Add(false, uint16(0), c.p)
		if len(c.p) >= headerLen {
			f.Add(true, binary.BigEndian.Uint16(c.p), c.p[headerLen:])
		}
	}
	s := start(f, func(c *Config) { c.Pion = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled} })
	c := s.Credentials("a")
	key := stun.MessageIntegrity(pion.GenerateAuthKey(c.Username, realm, c.Password))
	conn, err := net.Dial("udp4", s.udp)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	ask := func(t testing.TB, m *stun.Message) *stun.Message {
		buf := make([]byte, 1600)
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			s.clock.advance(time.Second) // or it is asked too often
			if _, err := conn.Write(m.Raw); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			for {
				n, err := conn.Read(buf)
				if err != nil {
					break
				}
				answer := &stun.Message{Raw: slices.Clone(buf[:n])}
				if answer.Decode() == nil && answer.TransactionID == m.TransactionID {
					return answer
				}
			}
		}
		t.Fatal("the server is silent")
		return nil
	}
	var nonce stun.Nonce
	if err := nonce.GetFrom(ask(f, stun.MustBuild(stun.TransactionID, allocateRequest))); err != nil {
		f.Fatal(err)
	}
	signed := func(kind uint16, attributes []byte) []byte {
		user, ofRealm := stun.NewUsername(c.Username), stun.NewRealm(realm)
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, user, ofRealm, nonce)
		m.Type.ReadValue(kind)
		m.WriteHeader()
		m.Raw = append(m.Raw, attributes...)
		m.Length += uint32(len(attributes))
		m.WriteLength()
		if len(m.Raw) > maxPacket || m.Decode() != nil || key.AddTo(m) != nil {
			return nil
		}
		return m.Raw
	}
	f.Fuzz(func(t *testing.T, sign bool, kind uint16, data []byte) {
		if sign {
			data = signed(kind, data)
		}
		if _, err := conn.Write(data[:min(len(data), 4000)]); err != nil {
			t.Fatal(err)
		}
		ask(t, stun.MustBuild(stun.TransactionID, stun.BindingRequest))
		if n := s.Stats().Allocations; n > 1 { // there is one address
			t.Errorf("%d allocations", n)
		}
	})
}
