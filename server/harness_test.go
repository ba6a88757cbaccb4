package server

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/pipeline"
	"mindflow/pipeline/schedule"
	"mindflow/pipeline/testkit"
)

// patience bounds every wait of the tests. They go on as soon as what they wait for is there.
const patience = 2 * time.Minute

// offerText is an offer as a browser writes it for one VP8 and H264 video, a data channel and audio
// first. The tests change it.
const offerText = `v=0
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

func lines(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// begin serves on ports of the system's choice until the test ends, and then checks that nothing is
// left running.
func begin(t testing.TB, e Engine, change func(*Config)) *Server {
	t.Helper()
	before := goleak.IgnoreCurrent()
	cfg := Config{
		Listen: "127.0.0.1:0", Media: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
		NoMedia: time.Hour, EndTime: patience, // a busy machine ends no session and no server before its time
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, e)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		noGoroutines(t, before)
	})
	return s
}

// noGoroutines waits until there are none but those of before.
func noGoroutines(t testing.TB, before goleak.Option) {
	t.Helper()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	testkit.NoLeaks(t, before)
}

// testLog is a log that is shown when the test fails.
type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", line)
	return len(line), nil
}

func (s *Server) url(path string) string { return "http://" + s.Addr().String() + path }

// idle is an engine for tests in which no frame is analysed.
func idle() Engine {
	model := pipeline.Model{Name: "none", Labels: []string{"neutral", "happy"}, Uncertain: 0.5}
	return Engine{Scheduler: schedule.New(1, schedule.Batching{}), Analyses: []pipeline.Analysis{{Model: model}}}
}

func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
