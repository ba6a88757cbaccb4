package server

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pion/dtls/v2"
	protocol "github.com/pion/dtls/v2/pkg/protocol/handshake"
	"github.com/pion/sdp/v3"
	"github.com/pion/stun"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/sdpfrag"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// intruder is a socket that sends to the media port what no browser would.
type intruder struct {
	*net.UDPConn
	t testing.TB
}

func (s *Server) intrude(t testing.TB) intruder {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, s.MediaAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(servertest.Patience))
	return intruder{conn, t}
}

func (i intruder) send(p []byte) {
	i.t.Helper()
	if _, err := i.Write(p); err != nil {
		i.t.Fatal(err)
	}
}

// credentials returns the ICE credentials of the server's answer to servertest.Offer.
func (s *Server) credentials(t *testing.T) (ufrag, pwd string) {
	t.Helper()
	res, text := s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	answer := &sdp.SessionDescription{}
	if err := answer.UnmarshalString(text); err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %v", res.Status, err)
	}
	return sdpfrag.Attribute(answer, "ice-ufrag"), sdpfrag.Attribute(answer, "ice-pwd")
}

// check is a binding request for a session of servertest.Offer.
func check(t *testing.T, ufrag, pwd string) []byte {
	t.Helper()
	m, err := stun.Build(
		stun.BindingRequest,
		stun.TransactionID,
		stun.NewUsername(ufrag+":EsAw"),
		stun.RawAttribute{
			Type:  stun.AttrICEControlling,
			Value: make([]byte, 8),
		},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.RawAttribute{
			Type:  stun.AttrPriority,
			Value: []byte{0x6E, 0, 0x1E, 0xFF},
		},
		stun.NewShortTermIntegrity(pwd),
		stun.Fingerprint,
	)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func mustBuild(t *testing.T, setters ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// record is a DTLS record in the clear.
func record(kind byte, body ...byte) []byte {
	return append([]byte{kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, byte(len(body) >> 8), byte(len(body))}, body...)
}

// handshake is a whole message in a record.
func handshake(kind, seq byte, body ...byte) []byte {
	size := []byte{0, byte(len(body) >> 8), byte(len(body))}
	return record(22, bytes.Join([][]byte{{kind}, size, {0, seq, 0, 0, 0}, size, body}, nil)...)
}

// hostile are packets that a media port may get, and why the filter drops them when they come from a session's own
// address. What is named after an advisory is what it describes.
func hostile(t *testing.T) map[string]struct {
	packet []byte
	why    string
} {
	type row = struct {
		packet []byte
		why    string
	}
	mapped := stun.RawAttribute{Type: stun.AttrXORMappedAddress} // without even a family
	return map[string]row{
		"CVE-2026-54908": {handshake(12, 2, emptyHint...), "dtls-role"},
		"CVE-2026-54908, later": {
			bytes.Join([][]byte{record(20, 1), handshake(12, 2, emptyHint...)}, nil),
			"dtls-role",
		},
		"key beyond the end":  {handshake(12, 2, 3, 0, 29, 255, 1), "dtls-role"},
		"GHSA-34rh-wp3j-6cxc": {shortAddress(t), "stun-no-request"},
		"GHSA-34rh-wp3j-6cxc in a request": {
			mustBuild(t, stun.BindingRequest, stun.TransactionID, stun.NewUsername("a:b"), mapped,
				stun.NewShortTermIntegrity("x")),
			"stun",
		},
		"ServerHello":        {handshake(2, 0, make([]byte, 40)...), "dtls-role"},
		"alert in the clear": {record(21, 2, 40), "dtls"},
		"data in the clear":  {record(23, make([]byte, 30)...), "dtls"},
		"giant":              {bytes.Repeat([]byte{0x80}, 60_000), "size"},
		"garbage":            {bytes.Repeat([]byte{0xff}, 100), "kind"},
		"SRTP without a tag": {append([]byte{0x80, 96}, make([]byte, 12)...), "rtp"},
		"SRTCP cut short":    {[]byte{0x80, 200, 0, 6, 0, 0, 0, 1}, "rtcp"},
		"indication": {
			mustBuild(t, stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.TransactionID),
			"stun-no-request",
		},
		"check of nobody's": {check(t, "nobody", "secret"), "stun-user"},
		"SCTP without DTLS": {append([]byte{19, 136, 19, 136}, make([]byte, 30)...), "kind"},
		"cookie in SRTP": {
			append([]byte{0x80, 96, 0, 1, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 40)...),
			"stun-no-request",
		},
		"half a DTLS record":                     {record(22, 1)[:13], "dtls"},
		"ClientHello that ends before it begins": {handshake(1, 0)[:20], "dtls"},
	}
}

// emptyHint is the body of a ServerKeyExchange with a hint for a shared secret, of no length, and nothing behind it.
var emptyHint = []byte{0, 0}

func shortAddress(t *testing.T) []byte {
	return mustBuild(t, stun.BindingSuccess, stun.TransactionID, stun.RawAttribute{Type: stun.AttrXORMappedAddress})
}

// TestAdvisories shows that what TestHostilePackets sends is what the advisories are of: Pion's parsers panic at it.
func TestAdvisories(t *testing.T) {
	panics := func(name string, f func() error) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: the library does not panic; is it mended?", name)
			}
		}()
		if err := f(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	panics("CVE-2026-54908", func() error {
		m := protocol.MessageServerKeyExchange{
			KeyExchangeAlgorithm: dtls.CipherSuiteKeyExchangeAlgorithmPsk | dtls.CipherSuiteKeyExchangeAlgorithmEcdhe,
		}
		return m.Unmarshal(emptyHint)
	})
	panics("GHSA-34rh-wp3j-6cxc", func() error {
		m := &stun.Message{Raw: slices.Clip(shortAddress(t))}
		if err := m.Decode(); err != nil {
			return err
		}
		var a stun.XORMappedAddress
		return a.GetFrom(m)
	})
}

// TestHostilePackets sends each from a stranger's address and from the session's own, while the session goes on.
func TestHostilePackets(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 30)
	s := begin(t, decoding(servertest.OneFace{}), nil)
	r := newRelay(t, s, func(int, bool) bool { return false })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: r.Client()})
	p.Stream(units)
	p.Label("labels", servertest.Any)
	sess := s.only(t)
	stranger := s.intrude(t)

	refused := func() uint64 {
		var n uint64
		for count := range maps.Values(s.Stats().Refused) {
			n += count
		}
		return n
	}
	for name, h := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			before, of := refused(), s.Stats().Refused[h.why]
			stranger.send(h.packet)
			servertest.WaitFor(t, "the stranger's packet to be dropped", func() bool { return refused() == before+1 })
			if err := r.Send(h.packet); err != nil {
				t.Fatal(err)
			}
			servertest.WaitFor(t, "the session's packet to be dropped", func() bool { return refused() >= before+2 })
			if got := s.Stats().Refused[h.why]; got <= of {
				t.Errorf("counted %v, want %s", s.Stats().Refused, h.why)
			}
		})
	}
	p.DrainLabels()
	seq := p.Label("labels after all that", servertest.Any).Seq
	p.Label("more labels", func(m pipeline.Message) bool { return m.Seq > seq+10 })
	if s.only(t) != sess || s.Stats().Panics > 0 {
		t.Error("the session is another one, or a panic was caught")
	}
	if got := refused(); got != 2*uint64(len(hostile(t))) {
		t.Errorf("%d packets were dropped, want %d: %v", got, 2*len(hostile(t)), s.Stats().Refused)
	}
}

// TestLite has a stranger with a session of its own see what the server sends: answers to its checks, and no checks.
func TestLite(t *testing.T) {
	s := begin(t, idle(), nil)
	ufrag, pwd := s.credentials(t)
	i := s.intrude(t)
	i.send(check(t, ufrag, "not the password")) // passes the filter, and Pion refuses it
	i.send(handshake(1, 0, make([]byte, 40)...))
	servertest.WaitFor(t, "the ClientHello to be dropped", func() bool { return s.Stats().Refused["stranger"] == 1 })

	for range 3 {
		sent := check(t, ufrag, pwd)
		i.send(sent)
		buf := make([]byte, 2048)
		n, err := i.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		m := &stun.Message{Raw: buf[:n]}
		if err := m.Decode(); err != nil || m.Type != stun.BindingSuccess ||
			!bytes.Equal(m.TransactionID[:], sent[8:20]) {
			t.Fatalf("the answer is %v, %v", m, err)
		}
	}
	i.send(
		mustBuild(t, stun.BindingSuccess, stun.TransactionID, stun.NewShortTermIntegrity(pwd)),
	) // not even of a session
	servertest.WaitFor(
		t,
		"the response to be dropped",
		func() bool { return s.Stats().Refused["stun-no-request"] == 1 },
	)
}

// TestRolesOfOffers has each section of an offer ask the server to be DTLS's client.
func TestRolesOfOffers(t *testing.T) {
	s := begin(t, idle(), nil)
	const setup = "a=setup:actpass"
	for at := range bytes.Count([]byte(servertest.Offer), []byte(setup)) {
		for _, role := range []string{"passive", "holdconn", ""} {
			parts := bytes.Split([]byte("a=setup:active\n"+servertest.Offer), []byte(setup))
			for i := range parts[:len(parts)-1] {
				line := setup
				if i == at {
					line = "a=setup:" + role
				}
				parts[i] = append(bytes.Clone(parts[i]), line...)
			}
			body := bytes.TrimPrefix(bytes.Join(parts, nil), []byte("a=setup:active\n"))
			body = bytes.Replace(body, []byte("t=0 0\n"), []byte("t=0 0\na=setup:active\n"), 1)
			res, text := s.call(t, offerCall(servertest.Lines(string(body))))
			if res.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("section %d with %q: status %d: %s", at, role, res.StatusCode, text)
			}
		}
	}
}
