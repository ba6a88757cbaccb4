package server

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"mindflow/server/servertest"
)

type call struct {
	method, path string
	header       map[string]string
	body         string
}

func (s *Server) call(t *testing.T, c call) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.method, s.url(c.path), strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range c.header {
		req.Header.Set(key, value)
	}
	req.Host = req.Header.Get("Host")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func offerCall(body string) call {
	return call{"POST", "/whip", map[string]string{"Content-Type": "application/sdp"}, body}
}

func TestWhipSession(t *testing.T) {
	s := begin(t, idle(), nil)
	res, answer := s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("status %d: %s", res.StatusCode, answer)
	}
	at, etag := sessionPath(t, res), res.Header.Get("ETag")
	if !regexp.MustCompile(`^/sessions/[0-9a-f]{32}$`).MatchString(at) {
		t.Errorf("location %q", at)
	}
	if !regexp.MustCompile(`^"[^"]+"$`).MatchString(etag) {
		t.Errorf("entity tag %q is not a strong one", etag)
	}
	if got, want := res.Header.Get("Link"), "<"+at[1:]+`/labels>; rel="urn:mindflow:labels"`; got != want {
		t.Errorf("link %s, want %s", got, want)
	}

	const trickle = "a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\n" +
		"a=candidate:1 1 udp 2122260223 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
	const frag = "application/trickle-ice-sdpfrag"
	for _, row := range []struct {
		name string
		call
		status int
		header [2]string
	}{
		{"look", call{"GET", at, nil, ""}, 204, [2]string{}},
		{"look at head", call{"HEAD", at, nil, ""}, 204, [2]string{}},
		{"options", call{"OPTIONS", at, nil, ""}, 204, [2]string{"Accept-Patch", frag}},
		{"post", call{"POST", at, nil, ""}, 405, [2]string{"Allow", "GET, HEAD, PATCH, DELETE, OPTIONS"}},
		{"trickle without type", call{"PATCH", at, map[string]string{"If-Match": etag}, trickle}, 415,
			[2]string{"Accept", frag}},
		{"trickle without If-Match", call{"PATCH", at, map[string]string{"Content-Type": frag}, trickle}, 428,
			[2]string{}},
		{"trickle with another tag", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": `"x"`},
			trickle}, 412, [2]string{}},
		{"trickle nonsense", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": etag}, "hello"}, 400,
			[2]string{}},
		{"trickle without ufrag", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": etag},
			"a=mid:1\r\n"}, 400, [2]string{}},
		{"trickle a bad candidate", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": etag},
			"a=ice-ufrag:EsAw\r\na=candidate:x\r\n"}, 400, [2]string{}},
		{"trickle", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": etag}, trickle}, 204,
			[2]string{}},
		{"trickle with a tag that a proxy weakened",
			call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": "W/" + etag}, trickle}, 204,
			[2]string{}},
		{"trickle with a star", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": "*"}, trickle},
			204, [2]string{}},
		{"trickle with a quoted star", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": `"*"`},
			trickle}, 204, [2]string{}},
		{"trickle to no session", call{"PATCH", "/sessions/0",
			map[string]string{"Content-Type": frag, "If-Match": etag}, trickle}, 404, [2]string{}},
		{"restart without password", call{"PATCH", at, map[string]string{"Content-Type": frag, "If-Match": "*"},
			"a=ice-ufrag:abcd\r\n"}, 400, [2]string{}},
		{"delete", call{"DELETE", at, nil, ""}, 200, [2]string{}},
		{"delete again", call{"DELETE", at, nil, ""}, 404, [2]string{}},
		{"look again", call{"GET", at, nil, ""}, 404, [2]string{}},
		{"labels of none", call{"GET", at + "/labels", nil, ""}, 404, [2]string{}},
	} {
		res, body := s.call(t, row.call)
		if res.StatusCode != row.status {
			t.Errorf("%s: status %d, want %d: %s", row.name, res.StatusCode, row.status, body)
		}
		if key := row.header[0]; key != "" && res.Header.Get(key) != row.header[1] {
			t.Errorf("%s: %s is %q, want %q", row.name, key, res.Header.Get(key), row.header[1])
		}
	}
	if n := s.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// checkAnswer wants what a browser needs: all sections with their mids, audio declined without harm to
// the rest, candidates in the first section that is used, the passive side of DTLS, and no video
// orientation.
func checkAnswer(t *testing.T, answer string, audioRejected bool) {
	t.Helper()
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		t.Fatalf("answer: %v\n%s", err, answer)
	}
	if len(d.MediaDescriptions) != 3 {
		t.Fatalf("answer has %d sections", len(d.MediaDescriptions))
	}
	audio, video := d.MediaDescriptions[0], d.MediaDescriptions[1]
	candidates, bundle := audio, "BUNDLE 0 1 2"
	if audioRejected {
		candidates, bundle = video, "BUNDLE 1 2"
	}
	if !hasAttribute(audio, "inactive") || (audio.MediaName.Port.Value == 0) != audioRejected {
		t.Error("audio is not declined as it should be")
	}
	for i, m := range d.MediaDescriptions {
		if mid, _ := m.Attribute("mid"); mid != string(rune('0'+i)) {
			t.Errorf("section %d has mid %q", i, mid)
		}
		if hasAttribute(m, "candidate") != (m == candidates) ||
			hasAttribute(m, "end-of-candidates") != (m == candidates) {
			t.Errorf("section %d: candidates are out of place", i)
		}
	}
	if setup, _ := video.Attribute("setup"); setup != "passive" {
		t.Errorf("setup is %q", setup)
	}
	if group, _ := d.Attribute("group"); group != bundle {
		t.Errorf("group is %q", group)
	}
	if !hasAttribute(video, "recvonly") {
		t.Error("video is not received")
	}
	for _, want := range []string{"VP8/90000", "H264/90000", "apt=96", "apt=102", "96 nack pli", "102 transport-cc",
		"transport-wide-cc",
		"a=max-message-size:16384"} {
		if !strings.Contains(answer, want) {
			t.Errorf("answer lacks %s", want)
		}
	}
	for _, unwanted := range []string{"video-orientation", ".local"} {
		if strings.Contains(answer, unwanted) {
			t.Errorf("answer has %s", unwanted)
		}
	}
}

func TestAnswer(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.Media = ":0" }) // every interface
	for _, row := range []struct {
		name, audio   string
		audioRejected bool
	}{{"audio known", "opus/48000/2", false}, {"audio unknown", "hum/48000", true}} {
		res, answer := s.call(
			t,
			offerCall(servertest.Lines(strings.Replace(servertest.Offer, "opus/48000/2", row.audio, 1))),
		)
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("%s: status %d: %s", row.name, res.StatusCode, answer)
		}
		checkAnswer(t, answer, row.audioRejected)
	}
}

func TestFull(t *testing.T) {
	s := begin(t, idle(), func(c *Config) { c.MaxSessions = 1 })
	first, _ := s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	second, body := s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	if second.StatusCode != http.StatusServiceUnavailable || second.Header.Get("Retry-After") == "" {
		t.Errorf(
			"full server: status %d, Retry-After %q: %s",
			second.StatusCode,
			second.Header.Get("Retry-After"),
			body,
		)
	}
	s.call(t, call{"DELETE", sessionPath(t, first), nil, ""})
	third, body := s.call(t, offerCall(servertest.Lines(servertest.Offer)))
	if third.StatusCode != http.StatusCreated {
		t.Errorf("after a session ended: status %d: %s", third.StatusCode, body)
	}
}

func TestPortsInUse(t *testing.T) {
	s := begin(t, idle(), nil)
	for _, row := range []struct{ listen, media, field, want string }{
		{s.Addr().String(), "127.0.0.1:0", "Listen", "is in use: stop the other program or use another port"},
		{"127.0.0.1:0", s.MediaAddr().String(), "Media", "is in use: stop the other program or use another port"},
		{"nonsense", "127.0.0.1:0", "Listen", "give it as host:port"},
		{"127.0.0.1:0", "nonsense", "Media", "give it as host:port"},
	} {
		_, err := New(Config{Listen: row.listen, MediaPorts: MediaPorts{Media: row.media}}, idle())
		if err == nil || !strings.HasPrefix(err.Error(), row.field+": ") || !strings.Contains(err.Error(), row.want) {
			t.Errorf("listen %s, media %s: %v, want %s: …%s", row.listen, row.media, err, row.field, row.want)
		}
	}
}

func hasAttribute(m *sdp.MediaDescription, key string) bool {
	_, ok := m.Attribute(key)
	return ok
}
