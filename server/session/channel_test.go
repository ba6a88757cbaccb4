package session

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"

	"mindflow/server/servertest"
)

// TestRequestsWithTheOpening sends requests in one breath with the opening of the control channel.
// Pion tells of the opening and of the first message in either order, so it takes a few attempts.
func TestRequestsWithTheOpening(t *testing.T) {
	s := begin(t, idle(), nil)
	for range 8 {
		said := hastyRequests(t, s)
		if said[0].Type != "hello" || said[1].Type != "ok" || *said[1].ID != 1 || said[2].Type != "ok" ||
			*said[2].ID != 2 {
			t.Errorf("the server said %+v", said)
		}
	}
}

// hastyRequests opens a session, asks for a pause and a resume, and gives the first three messages of
// the server's.
func hastyRequests(t *testing.T, s *host) (said [3]reply) {
	t.Helper()
	pc := newPeer(t)
	control, err := pc.CreateDataChannel(controlLabel, nil)
	if err != nil {
		t.Fatal(err)
	}
	talk := func() error {
		channel, err := control.Detach()
		if err != nil {
			return err
		}
		for _, text := range []string{`{"v":1,"type":"pause","id":1}`, `{"v":1,"type":"resume","id":2}`} {
			if _, err := channel.WriteDataChannel([]byte(text), true); err != nil {
				return err
			}
		}
		buf := make([]byte, maxRequest)
		for i := range said {
			n, err := channel.Read(buf)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(buf[:n], &said[i]); err != nil {
				return err
			}
		}
		return nil
	}
	talked := make(chan error, 1)
	control.OnOpen(func() { talked <- talk() }) // of a detached channel: the server need not have answered yet
	s.connect(t, pc)
	select {
	case err = <-talked:
	case <-time.After(servertest.Patience):
		err = errors.New("no answers")
	}
	sess := s.only(t)
	sess.End(EndDeleted)
	<-sess.Done()
	if sess.channels != 1 {
		t.Errorf("%d channels are counted", sess.channels)
	}
	if err := errors.Join(err, pc.GracefulClose()); err != nil {
		t.Fatal(err)
	}
	return said
}

// newPeer makes a connection with one video that never comes.
func newPeer(t *testing.T) *webrtc.PeerConnection {
	t.Helper()
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	settings := webrtc.SettingEngine{LoggerFactory: pionLogs()} // its end is told by the reads
	settings.SetIncludeLoopbackCandidate(true)
	settings.DetachDataChannels()
	pc, err := webrtc.NewAPI(
		webrtc.WithMediaEngine(media),
		webrtc.WithSettingEngine(settings),
	).NewPeerConnection(
		webrtc.Configuration{},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() }) // again, when the test goes well
	init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, init); err != nil {
		t.Fatal(err)
	}
	return pc
}

// connect publishes what pc offers. The server learns the peer's address from its checks.
func (s *host) connect(t *testing.T, pc *webrtc.PeerConnection) {
	t.Helper()
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	_, answer := s.publishText(t, offer.SDP)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}
