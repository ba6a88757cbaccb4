package turn

import (
	"bytes"
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v3"
	pion "github.com/pion/turn/v4"
)

// attribute is one as it stands in a message.
func attribute(kind uint16, value ...byte) []byte {
	a := binary.BigEndian.AppendUint16(nil, kind)
	a = append(binary.BigEndian.AppendUint16(a, uint16(len(value))), value...)
	return append(a, make([]byte, -len(value)&3)...)
}

func packet(kind uint16, attributes ...[]byte) []byte {
	body := bytes.Join(attributes, nil)
	p := binary.BigEndian.AppendUint16(nil, kind)
	p = binary.BigEndian.AppendUint16(p, uint16(len(body)))
	p = append(binary.BigEndian.AppendUint32(p, cookie), "transaction."...)
	return append(p, body...)
}

func signature() []byte { return attribute(attrIntegrity, make([]byte, 20)...) }

// peer is 192.0.2.1:8189, masked.
func peer() []byte {
	return attribute(attrPeer, 0, 1, 0x1f^0x21, 0xfd^0x12, 192^0x21, 0^0x12, 2^0xa4, 1^0x42)
}

var packets4 = []struct {
	name string
	p    []byte
	why  reason
}{
	{"binding", packet(bindingRequest), admitted},
	{"allocate", packet(allocateRequest, attribute(attrTransport, 17, 0, 0, 0)), admitted},
	{"signed allocate", packet(allocateRequest, attribute(attrUsername, []byte("1:a")...), signature(), attribute(attrFingerprint, 0, 0, 0, 0)), admitted},
	{"refresh", packet(refreshRequest, attribute(attrLifetime, 0, 0, 0, 0)), admitted},
	{"permission", packet(permissionRequest, peer(), signature()), admitted},
	{"channel", packet(channelRequest, attribute(attrChannel, 0x40, 0, 0, 0), peer(), signature()), admitted},
	{"send", packet(sendIndication, peer(), attribute(attrData, make([]byte, 1200)...)), admitted},
	{"unknown attribute", packet(allocateRequest, attribute(0x802f, 1, 2, 3)), admitted},
	{"channel data", []byte{0x40, 1, 0, 3, 'a', 'b', 'c', 0}, admitted},
	{"channel data without padding", []byte{0x40, 1, 0, 3, 'a', 'b', 'c'}, admitted},
	{"empty channel data", []byte{0x4f, 0xff, 0, 0}, admitted},

	{"nothing", nil, malformed},
	{"three bytes", []byte{0, 1, 0}, malformed},
	{"half a header", packet(bindingRequest)[:12], malformed},
	{"no cookie", bytes.Replace(packet(bindingRequest), []byte{0x21, 0x12}, []byte{0, 0}, 1), malformed},
	{"longer than it says", append(packet(bindingRequest), 0, 0, 0, 0), malformed},
	{"shorter than it says", packet(allocateRequest, attribute(attrTransport, 17, 0, 0, 0))[:24], malformed},
	{"an odd length", append(packet(bindingRequest)[:3:3], append([]byte{1}, append(packet(bindingRequest)[4:], 0)...)...), malformed},
	{"an attribute beyond the end", packet(bindingRequest, []byte{0, 6, 0, 9, 'a', 0, 0, 0}), malformed},
	{"attributes without end", packet(bindingRequest, slices.Repeat(attribute(0x8000), maxAttributes+1)), malformed},
	{"a long name", packet(allocateRequest, attribute(attrUsername, make([]byte, maxText+1)...)), malformed},
	{"a short signature", packet(allocateRequest, attribute(attrIntegrity, 1, 2, 3)), malformed},
	{"a short lifetime", packet(refreshRequest, attribute(attrLifetime, 1)), malformed},
	{"a peer of four bytes", packet(permissionRequest, attribute(attrPeer, 0, 1, 0, 0)), malformed},
	{"a peer of IPv6 with an address of IPv4", packet(permissionRequest, attribute(attrPeer, 0, 2, 0, 0, 1, 2, 3, 4)), malformed},
	{"a peer of no family", packet(permissionRequest, attribute(attrPeer, 0, 7, 0, 0, 1, 2, 3, 4)), malformed},
	{"giant", packet(sendIndication, peer(), attribute(attrData, make([]byte, 1600)...)), malformed},
	{"channel data beyond the end", []byte{0x40, 1, 0, 9, 'a', 'b', 'c', 0}, malformed},
	{"channel data with more behind", []byte{0x40, 1, 0, 0, 'a', 'b', 'c', 'd'}, malformed},
	{"a channel that is reserved", []byte{0x50, 0, 0, 0}, malformed},
	{"RTP", append([]byte{0x80, 96}, make([]byte, 30)...), malformed},
	{"DTLS", append([]byte{22, 254, 253}, make([]byte, 30)...), malformed},

	{"a response", packet(0x0101), unwanted},
	{"a response with a short address", packet(0x0101, attribute(0x0020)), unwanted},
	{"an allocation's response", packet(0x0103), unwanted},
	{"an error", packet(0x0111), unwanted},
	{"data", packet(0x0017, peer(), attribute(attrData, 1)), unwanted},
	{"connect", packet(0x000a, peer()), unwanted},
	{"an even port", packet(allocateRequest, attribute(attrEvenPort, 0x80)), unwanted},
	{"a reserved port", packet(allocateRequest, attribute(attrReservation, make([]byte, 8)...)), unwanted},
	{"a relay of IPv6", packet(allocateRequest, attribute(attrFamily, 2, 0, 0, 0)), unwanted},
	{"a channel to nobody", packet(channelRequest, attribute(attrChannel, 0x40, 0, 0, 0)), unwanted},
	{"a channel to two", packet(channelRequest, peer(), peer()), unwanted},
	{"too many permissions", packet(permissionRequest, slices.Repeat(peer(), maxPeers+1)), unwanted},
	{"to two at once", packet(sendIndication, peer(), peer(), attribute(attrData, 1)), unwanted},
}

func TestCheck(t *testing.T) {
	for _, c := range packets4 {
		m, why := check(c.p)
		if why != c.why {
			t.Errorf("%s: %s, want %s", c.name, why, c.why)
		}
		if why == admitted && bytes.Contains(c.p, peer()) && (len(m.peers) != 1 || m.peers[0].String() != "192.0.2.1:8189") {
			t.Errorf("%s: peers %v", c.name, m.peers)
		}
	}
}

// Shortly before an allocation ends nothing is added to it: the library would touch a timer that it has not made yet.
func TestNothingIsAddedAtTheEnd(t *testing.T) {
	s := start(t, nil)
	conn, err := s.allocate(t, "udp", "a")
	if err != nil {
		t.Fatal(err)
	}
	m, why := check(packet(permissionRequest, peer(), signature()))
	if why != admitted {
		t.Fatal(why)
	}
	s.mu.Lock()
	var c client
	for c = range s.held {
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
	}{{0, admitted}, {leastLifetime - margin - time.Minute, admitted}, {time.Minute, noAllocation}, {time.Hour, noAllocation}} {
		s.clock.advance(step.after)
		if got := s.allows(m, from, to); got != step.want {
			t.Errorf("%s later: %s, want %s", step.after, got, step.want)
		}
	}
	_ = conn.Close()
}

// FuzzPort sends what the fuzzer makes to a server's port, as it is and, since a stranger may have credentials, signed. A panic
// in the library would end the process.
func FuzzPort(f *testing.F) {
	for _, c := range packets4 {
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
	if err := nonce.GetFrom(ask(f, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)))); err != nil {
		f.Fatal(err)
	}
	signed := func(kind uint16, attributes []byte) []byte {
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.Username), stun.NewRealm(realm), nonce)
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
