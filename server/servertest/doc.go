// Package servertest is what tests of the server and of its sessions share: a publisher, models that find one face, an
// offer, and a network with faults.
package servertest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/pipeline/testkit"
)

// Patience bounds every wait of the tests, which go on as soon as what they wait for has happened.
const Patience = 2 * time.Minute

// WaitFor waits until something has happened.
func WaitFor(t testing.TB, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", Patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// NoGoroutines waits until there are no goroutines but those of before.
func NoGoroutines(t testing.TB, before goleak.Option) {
	t.Helper()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	testkit.NoLeaks(t, before)
}

// Log is a writer for a log that is shown when the test fails.
type Log struct{ T testing.TB }

func (l Log) Write(line []byte) (int, error) {
	l.T.Logf("%s", line)
	return len(line), nil
}

// Lines returns a text with the line ends of SDP.
func Lines(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// Offer is an offer as a browser writes it, of audio, one video in VP8 or H264, and data channels. Its lines end with a
// line feed: see Lines.
const Offer = `v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y
a=fingerprint:sha-256 DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09:DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF
a=setup:actpass
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103
c=IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y
a=fingerprint:sha-256 DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09:DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF
a=setup:actpass
a=mid:1
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:3gpp:video-orientation
a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:stream track
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=rtcp-fb:102 transport-cc
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=ssrc-group:FID 2231627014 632943048
a=ssrc:2231627014 cname:A
a=ssrc:632943048 cname:A
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y
a=fingerprint:sha-256 DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09:DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF
a=setup:actpass
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
`
