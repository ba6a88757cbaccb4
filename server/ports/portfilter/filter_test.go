package portfilter

import (
	"net/netip"
	"testing"
	"time"
)

// kinds are packets from an authenticated address, and the reason why each is dropped; "" passes.
var kinds = []struct {
	name   string
	packet []byte
	why    string
}{
	{"request", request("ours"), ""},
	{"request with padding", message(bindingRequest, user("ours:three"), integrity()), ""},
	{"empty", nil, "size"},
	{"one byte", []byte{0}, "stun"},
	{"giant", make([]byte, maxPacket+1), "size"},
	{"ZRTP", append([]byte{16}, make([]byte, 40)...), "kind"},
	{"TURN channel", append([]byte{64}, make([]byte, 40)...), "kind"},
	{"version 3", append([]byte{0xC0}, make([]byte, 40)...), "kind"},

	{"no cookie", append([]byte{0, 1, 0, 0, 9, 9, 9, 9}, make([]byte, 12)...), "stun"},
	{"short header", request("ours")[:19], "stun"},
	{"cut", request("ours")[:60], "stun"},
	{"longer than it says", append(request("ours"), 0, 0, 0, 0), "stun"},
	{"attribute beyond the end",
		join(message(bindingRequest)[:2], []byte{0, 4}, message(bindingRequest)[4:], []byte{0, 6, 0, 9}), "stun"},
	{"no user", message(bindingRequest, integrity()), "stun"},
	{"user without a colon", message(bindingRequest, user("ours"), integrity()), "stun"},
	{"user of nothing", message(bindingRequest, user(":theirs"), integrity()), "stun"},
	{"two users", message(bindingRequest, user("ours:a"), user("ours:b"), integrity()), "stun"},
	{"unknown user", request("else"), "stun-user"},
	{"no integrity", message(bindingRequest, user("ours:a")), "stun-integrity"},
	{"short integrity", message(bindingRequest, user("ours:a"), attribute{attrIntegrity, make([]byte, 16)}), "stun"},
	{"user after integrity", message(bindingRequest, integrity(), user("ours:a")), "stun"},
	{"fingerprint first", message(bindingRequest, fingerprint(), user("ours:a"), integrity()), "stun"},
	{"wrong fingerprint",
		message(bindingRequest, user("ours:a"), integrity(), attribute{attrFingerprint, make([]byte, 8)}), "stun"},
	{"controlled agent",
		message(bindingRequest, user("ours:a"), attribute{attrControlled, make([]byte, 8)}, integrity()),
		"stun-no-request"},
	{"unknown, must be understood",
		message(bindingRequest, user("ours:a"), attribute{0x0003, make([]byte, 4)}, integrity()), "stun"},
	{"mapped address in a request",
		message(bindingRequest, user("ours:a"), attribute{0x0020, []byte{0}}, integrity()), "stun"},
	{"mapped address of old",
		message(bindingRequest, user("ours:a"), attribute{0x8020, make([]byte, 4)}, integrity()), "stun"},
	{"response", response(), "stun-no-request"},
	{"response, short XOR-MAPPED-ADDRESS", message(bindingSuccess, attribute{0x0020, []byte{0, 1}}), "stun-no-request"},
	{"error response", message(0x0111, integrity()), "stun-no-request"},
	{"indication", message(0x0011), "stun-no-request"},
	{"allocate", message(0x0003), "stun-no-request"},
	{"cookie in RTP", join([]byte{0x80, 96, 0, 1, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 20)), "stun-no-request"},
	{"cookie in DTLS", join([]byte{23, 0xfe, 0xfd, 0, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 20)), "stun-no-request"},

	{"ClientHello", record(handshakeRecord, 0, fragment(clientHello, 40, 0, make([]byte, 40))), ""},
	{"ClientHello, DTLS 1.0",
		join([]byte{22, 0xfe, 0xff}, record(handshakeRecord, 0, fragment(clientHello, 9, 0, make([]byte, 9)))[3:]), ""},
	{"fragment", record(handshakeRecord, 0, fragment(clientHello, 2000, 900, make([]byte, 900))), ""},
	{"flight", join(
		record(handshakeRecord, 0, fragment(certificate, 50, 0, make([]byte, 50))),
		record(handshakeRecord, 0, join(
			fragment(clientKeyExchange, 33, 0, make([]byte, 33)),
			fragment(certificateVerify, 70, 0, make([]byte, 70)))),
		record(changeCipherSpec, 0, []byte{1}),
		record(handshakeRecord, 1, make([]byte, 40))), ""},
	{"data", record(applicationData, 1, make([]byte, 60)), ""},
	{"alert", record(alertRecord, 1, make([]byte, 26)), ""},
	{"ServerKeyExchange", record(handshakeRecord, 0, fragment(12, 40, 0, make([]byte, 40))), "dtls-role"},
	{"ServerKeyExchange behind a ClientHello", join(
		record(handshakeRecord, 0, fragment(clientHello, 40, 0, make([]byte, 40))),
		record(handshakeRecord, 0, fragment(12, 40, 0, make([]byte, 40)))), "dtls-role"},
	{"ServerHello", record(handshakeRecord, 0, fragment(2, 40, 0, make([]byte, 40))), "dtls-role"},
	{"HelloVerifyRequest", record(handshakeRecord, 0, fragment(3, 40, 0, make([]byte, 40))), "dtls-role"},
	{"HelloRequest", record(handshakeRecord, 0, fragment(0, 0, 0, nil)), "dtls-role"},
	{"Finished in the clear", record(handshakeRecord, 0, fragment(20, 12, 0, make([]byte, 12))), "dtls-role"},
	{"fragment of nothing", record(handshakeRecord, 0, fragment(clientHello, 40, 0, nil)), "dtls"},
	{"fragment beyond the message",
		record(handshakeRecord, 0, fragment(clientHello, 40, 30, make([]byte, 20))), "dtls"},
	{"fragment beyond the record",
		record(handshakeRecord, 0, fragment(clientHello, 40, 0, make([]byte, 40))[:40]), "dtls"},
	{"fragment with company",
		record(handshakeRecord, 0, join(
			fragment(clientHello, 80, 0, make([]byte, 40)), fragment(clientHello, 9, 0, make([]byte, 9)))), "dtls"},
	{"giant message", record(handshakeRecord, 0, fragment(clientHello, maxMessage+1, 0, make([]byte, 40))), "dtls"},
	{"record cut", record(applicationData, 1, make([]byte, 60))[:40], "dtls"},
	{"record header cut", append(record(applicationData, 1, make([]byte, 60)), 23, 0xfe, 0xfd), "dtls"},
	{"record of nothing", record(applicationData, 1, nil), "dtls"},
	{"TLS 1.2", append([]byte{23, 3, 3}, record(applicationData, 1, make([]byte, 60))[3:]...), "dtls"},
	{"data in the clear", record(applicationData, 0, make([]byte, 60)), "dtls"},
	{"alert in the clear", record(alertRecord, 0, []byte{2, 40}), "dtls"},
	{"change of cipher to 2", record(changeCipherSpec, 0, []byte{2}), "dtls"},
	{"encrypted, no room for a tag", record(applicationData, 1, make([]byte, 16)), "dtls"},
	{"epoch 2", record(applicationData, 2, make([]byte, 60)), "dtls"},
	{"heartbeat", record(24, 1, make([]byte, 60)), "dtls"},
	{"connection id", record(25, 1, make([]byte, 60)), "dtls"},
	{"DTLS 1.3 record", append([]byte{0x2f}, make([]byte, 60)...), "dtls"},

	{"SRTP", srtp(7, 100), ""},
	{"SRTP with CSRCs and extension",
		join([]byte{0x92, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7}, make([]byte, 8), []byte{0xBE, 0xDE, 0, 1},
			make([]byte, 4+20)), ""},
	{"SRTP header cut", srtp(7, 100)[:11], "rtp"},
	{"SRTP without a tag", srtp(7, 9), "rtp"},
	{"CSRCs beyond the end", append([]byte{0x8F}, srtp(7, 40)[1:]...), "rtp"},
	{"extension beyond the end",
		join([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xBE, 0xDE, 0xFF, 0xFF}, make([]byte, 60)), "rtp"},
	{"extension header beyond the end", join([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xBE, 0xDE}), "rtp"},
	{"SRTCP", srtcp(200, 7, 60), ""},
	{"SRTCP cut", srtcp(200, 7, 21), "rtcp"},
	{"SRTCP of an unknown type", srtcp(199, 7, 60), "rtcp"},
	{"SRTCP that names hundreds", srtcp(206, 7, maxReport+1), "rtcp"},
}

func TestKinds(t *testing.T) {
	for _, k := range kinds {
		f := newFilter()
		f.authenticate(t, alice, "ours")
		addr := f.receive(alice, k.packet)
		if (addr != nil) != (k.why == "") {
			t.Errorf("%s: passed %v, counted %v", k.name, addr != nil, f.counted())
		}
		if k.why != "" && f.counted()[k.why] != 1 {
			t.Errorf("%s: counted %v, want %s", k.name, f.counted(), k.why)
		}
		if addr != nil && addr.AddrPort() != alice {
			t.Errorf("%s: comes from %v", k.name, addr)
		}
	}
}

// TestUnauthenticated sends the same from an unauthenticated address: only the request passes.
func TestUnauthenticated(t *testing.T) {
	for _, k := range kinds {
		f := newFilter()
		passes := f.receive(alice, k.packet) != nil
		request := k.why == "" && isSTUN(k.packet)
		if passes != request {
			t.Errorf("%s of a unauthenticated: passed %v, counted %v", k.name, passes, f.counted())
		}
	}
}

func TestNobodyPassesUnansweredOrAfterwards(t *testing.T) {
	f := newFilter()
	if f.receive(alice, request("ours")) == nil {
		t.Fatal("the request was dropped")
	}
	if f.receive(alice, srtp(7, 100)) != nil {
		t.Error("media passed before the request was answered")
	}
	f.send(mallory, response())
	if f.receive(mallory, srtp(7, 100)) != nil {
		t.Error("a response to nobody's request lets media pass")
	}
	f.authenticate(t, alice, "ours")
	if f.receive(alice, srtp(7, 100)) == nil {
		t.Errorf("media was dropped: %v", f.counted())
	}

	f.peer.SetUfrag("newer") // ICE restart
	if f.receive(alice, srtp(7, 100)) != nil || f.receive(alice, request("ours")) != nil {
		t.Error("something passed by the ufrag before the restart")
	}
	f.authenticate(t, alice, "newer")
	if f.receive(alice, srtp(7, 100)) == nil {
		t.Errorf("media was dropped after the restart: %v", f.counted())
	}

	f.peer.Close()
	f.peer.Close()
	if f.receive(alice, srtp(7, 100)) != nil || f.receive(alice, request("newer")) != nil {
		t.Error("something passed after the peer was closed")
	}
	if len(f.flows) != 0 || len(f.peers) != 0 {
		t.Errorf("%d flows and %d peers are left", len(f.flows), len(f.peers))
	}
}

// TestNobodyTakesAnothersAddress has a peer claim the address of another.
func TestNobodyTakesAnothersAddress(t *testing.T) {
	f := newFilter()
	f.authenticate(t, alice, "ours")
	thief := f.NewPeer()
	thief.SetUfrag("thief")
	if f.receive(alice, request("thief")) != nil {
		t.Error("a request for another session passed")
	}
	thief.Close()
	if f.receive(alice, srtp(7, 100)) == nil {
		t.Errorf("the address was lost: %v", f.counted())
	}
}

// port is one of many addresses.
func port(n int) netip.AddrPort { return netip.AddrPortFrom(mallory.Addr(), uint16(n)) }

func TestBounds(t *testing.T) {
	t.Run("unauthenticated addresses", func(t *testing.T) {
		f := newFilter()
		f.authenticate(t, alice, "ours")
		for n := range 10 * maxPending {
			f.time = f.time.Add(time.Second)
			f.receive(port(n), request("ours"))
		}
		if len(f.flows) != maxPending+1 || len(f.peer.flows) != maxPending+1 {
			t.Errorf("%d flows", len(f.flows))
		}
		if f.receive(alice, srtp(7, 100)) == nil {
			t.Errorf("the authenticated address was lost: %v", f.counted())
		}
	})
	t.Run("authenticated addresses", func(t *testing.T) {
		f := newFilter()
		for n := range maxFlows {
			f.time = f.time.Add(time.Second)
			f.authenticate(t, port(n), "ours")
		}
		if f.receive(alice, request("ours")) != nil || f.counted()["addresses"] != 1 {
			t.Errorf("%d flows, counted %v", len(f.flows), f.counted())
		}
		if f.receive(port(0), srtp(7, 100)) == nil {
			t.Error("the first address was lost")
		}
	})
	t.Run("requests", func(t *testing.T) {
		f := newFilter()
		for range 2 * requestBurst {
			f.receive(alice, request("ours"))
		}
		if got := f.counted()["rate"]; got != requestBurst {
			t.Errorf("%d of %d were dropped", got, 2*requestBurst)
		}
		f.time = f.time.Add(time.Second)
		if f.receive(alice, request("ours")) == nil {
			t.Error("a request was dropped a second later")
		}
	})
	t.Run("streams", func(t *testing.T) {
		f := newFilter()
		f.authenticate(t, alice, "ours")
		for n := range uint32(maxSSRCs) {
			if f.receive(alice, srtp(n, 100)) == nil || f.receive(alice, srtcp(200, n, 60)) == nil {
				t.Fatalf("stream %d was dropped", n)
			}
		}
		f.peer.SetUfrag("newer") // the bound holds across restarts, as Pion's streams do
		f.authenticate(t, alice, "newer")
		media, report := f.receive(alice, srtp(99, 100)), f.receive(alice, srtcp(200, 99, 60))
		if media != nil || report != nil || f.counted()["ssrc"] != 2 {
			t.Errorf("counted %v", f.counted())
		}
		if f.receive(alice, srtp(3, 100)) == nil {
			t.Error("a known stream was dropped")
		}
	})
	t.Run("reports", func(t *testing.T) {
		f := newFilter()
		f.authenticate(t, alice, "ours")
		for range 2 * reportBurst {
			f.receive(alice, srtcp(201, 1, 60))
		}
		if got := f.counted()["rate"]; got != reportBurst {
			t.Errorf("%d of %d were dropped", got, 2*reportBurst)
		}
	})
	t.Run("handshakes", func(t *testing.T) {
		f := newFilter()
		f.authenticate(t, alice, "ours")
		byte1 := record(handshakeRecord, 0, fragment(clientHello, 2000, 0, make([]byte, 1)))
		for range 2 * maxHandshakes {
			f.receive(alice, byte1)
		}
		encrypted := record(handshakeRecord, 1, make([]byte, 40))
		for range 2 * maxFinished {
			f.receive(alice, encrypted)
		}
		if got := f.counted()["dtls-handshakes"]; got != maxHandshakes+maxFinished {
			t.Errorf("counted %v", f.counted())
		}
		if f.receive(alice, record(applicationData, 1, make([]byte, 60))) == nil {
			t.Error("data was dropped")
		}
	})
}

func TestSentRecordsAreCounted(t *testing.T) {
	f := newFilter()
	f.authenticate(t, alice, "ours")
	f.send(alice, record(handshakeRecord, 0, make([]byte, 60))) // in the clear
	f.send(alice, srtcp(205, 1, 60))
	f.send(alice, record(applicationData, 1, make([]byte, 60)))
	f.send(mallory, record(applicationData, 1, make([]byte, 60)))
	f.peer.SetUfrag("newer")
	f.authenticate(t, alice, "newer")
	f.send(alice, record(applicationData, 1, make([]byte, 60)))
	if got := f.peer.RecordsSent(); got != 2 {
		t.Errorf("%d records, want 2", got)
	}
}
