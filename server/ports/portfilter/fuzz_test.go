package portfilter

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/pion/dtls/v2/pkg/protocol/handshake"
	"github.com/pion/dtls/v2/pkg/protocol/recordlayer"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/stun"
)

// FuzzPacket reads what passes with Pion's parsers: they find what the filter found.
func FuzzPacket(f *testing.F) {
	for _, k := range kinds {
		f.Add(k.packet, true)
	}
	f.Fuzz(func(t *testing.T, p []byte, known bool) {
		filter := newFilter()
		if known {
			filter.authenticate(t, alice, "ours")
		}
		if filter.receive(alice, p) == nil {
			return
		}
		switch {
		case stun.IsMessage(p):
			readSTUN(t, p)
		case !known:
			t.Errorf("%x passed, unauthenticated", p)
		case isDTLS(p):
			readDTLS(t, p)
		case isMedia(p):
			readMedia(t, p)
		default:
			t.Errorf("%x passed", p)
		}
	})
}

func readSTUN(t *testing.T, p []byte) {
	m := &stun.Message{Raw: p}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	user, err := m.Get(stun.AttrUsername)
	if err != nil || m.Type != stun.BindingRequest || string(user[:5]) != "ours:" {
		t.Errorf("%v passed", m)
	}
	if m.Contains(stun.AttrXORMappedAddress) || !m.Contains(stun.AttrMessageIntegrity) {
		t.Errorf("%v passed", m)
	}
	if m.Contains(stun.AttrFingerprint) {
		if err := stun.Fingerprint.Check(m); err != nil {
			t.Error(err)
		}
	}
}

func readDTLS(t *testing.T, p []byte) {
	records, err := recordlayer.UnpackDatagram(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		var h recordlayer.Header
		if err := h.Unmarshal(r); err != nil {
			t.Fatal(err)
		}
		if h.Epoch > 0 {
			continue
		}
		var content recordlayer.RecordLayer
		err := content.Unmarshal(r)
		if m, ok := content.Content.(*handshake.Handshake); ok && err == nil {
			switch m.Header.Type {
			case handshake.TypeClientHello, handshake.TypeCertificate, handshake.TypeCertificateVerify,
				handshake.TypeClientKeyExchange:
			default:
				t.Errorf("%v passed", m.Header.Type)
			}
		}
	}
}

func readMedia(t *testing.T, p []byte) {
	if p[1] >= 192 && p[1] < 224 {
		var h rtcp.Header
		if err := h.Unmarshal(p); err != nil {
			t.Error(err)
		}
		return
	}
	var h rtp.Header // what is inside of an extension may be anything
	if n, err := h.Unmarshal(p); err == nil && n+minTag > len(p) {
		t.Errorf("a header of %d bytes in %d", n, len(p))
	}
}

// FuzzFrames reads frames of an unauthenticated TCP connection.
func FuzzFrames(f *testing.F) {
	for _, k := range kinds {
		if len(k.packet) <= maxPacket {
			f.Add(join(frame(request("ours")), frame(k.packet)))
		}
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		filter := newFilter()
		client, server := net.Pipe()
		l := &listener{filter: filter.Filter}
		l.waiting.Add(1)
		s := &stream{Conn: server, filter: filter.Filter, waiting: &l.waiting, flow: &flow{}}
		go func() {
			_, _ = client.Write(sent)
			_ = client.Close()
		}()
		passed, _ := io.ReadAll(s)
		_, _ = s.Close(), client.Close()
		if len(filter.flows) != 0 || len(filter.peer.flows) != 0 || l.waiting.Load() != 0 {
			t.Errorf("%d flows left, %d wait", len(filter.peer.flows), l.waiting.Load())
		}
		for len(passed) > 0 {
			size := int(binary.BigEndian.Uint16(passed))
			readSTUN(t, passed[frameHeader:frameHeader+size]) // nobody answers, so nothing else may pass
			passed = passed[frameHeader+size:]
		}
	})
}
