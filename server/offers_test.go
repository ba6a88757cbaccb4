package server

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"go.uber.org/goleak"

	"mindflow/server/servertest"
)

func TestRefusals(t *testing.T) {
	replace := func(pairs ...string) string {
		return servertest.Lines(strings.NewReplacer(pairs...).Replace(servertest.Offer))
	}
	cut := func(pattern string) string {
		return servertest.Lines(regexp.MustCompile(pattern).ReplaceAllString(servertest.Offer, ""))
	}
	simulcast := strings.Replace(cut(`a=(ssrc|ssrc-group|msid):.*\n`), "a=mid:1\r\n", "a=mid:1\r\n"+
		"a=extmap:6 "+sdp.SDESRTPStreamIDURI+"\r\na=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n", 1)
	video := regexp.MustCompile(`(?s)m=video.*?m=app`).FindString(servertest.Offer)
	video = strings.TrimSuffix(video, "m=app")
	unbundled := strings.Replace(servertest.Offer, "a=group:BUNDLE 0 1 2\n", "", 1)
	twoVideos := servertest.Lines(servertest.Offer + strings.Replace(video, "a=mid:1", "a=mid:3", 1))
	for _, row := range []struct {
		name   string
		body   string
		kind   string
		status int
		detail string
	}{
		{"no body", "", "application/sdp", 400, "empty"},
		{"no SDP", "hello", "application/sdp", 400, "no SDP offer"},
		{"no sections", "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", "application/sdp", 400,
			"no media sections"},
		{"no ICE", cut(`a=ice-ufrag.*\n`), "application/sdp", 400, "a=ice-ufrag"},
		{"no fingerprint", cut(`a=fingerprint.*\n`), "application/sdp", 400, "a=fingerprint"},
		{"no mid", cut(`a=mid:1\n`), "application/sdp", 400, "a=mid"},
		{"two sections of one mid", replace("a=mid:1\n", "a=mid:0\n"), "application/sdp", 400, "a=mid:0"},
		{"bad fingerprint", cut(`:BF:EF`), "application/sdp", 201, ""}, // only the handshake can tell
		{"bad candidate", replace("a=mid:1\n", "a=mid:1\na=candidate:x\n"), "application/sdp", 400, `candidate "x"`},
		{"candidate of an unknown type", replace("a=mid:1\n", "a=mid:1\na=candidate:1 1 udp 1 192.0.2.1 1 typ new\n"),
			"application/sdp", 201, ""},
		{"two ICE sessions", servertest.Lines(strings.Replace(unbundled, "a=ice-ufrag:EsAw", "a=ice-ufrag:other", 1)),
			"application/sdp", 422, "put all sections into one a=group:BUNDLE"},
		{"no group, one ICE session", servertest.Lines(unbundled), "application/sdp", 201, ""},
		{"another group first", replace("a=group:BUNDLE", "a=group:LS 0 1\na=group:BUNDLE"), "application/sdp",
			201, ""},
		{"a group without the video", replace("BUNDLE 0 1 2", "BUNDLE 0 2"), "application/sdp", 201, ""},
		{"two ICE sessions to be bundled",
			servertest.Lines(strings.Replace(servertest.Offer, "a=ice-ufrag:EsAw", "a=ice-ufrag:other",
				1)), "application/sdp", 201, ""},
		{"both sides passive", replace("actpass", "passive"), "application/sdp", 422, "-whip_flags dtls_active"},
		{"candidate that names a host", replace("a=mid:1\n",
			"a=mid:1\na=candidate:1 1 udp 1 camera.example 5000 typ host\n"), "application/sdp", 201, ""},
		{"last line without an end", strings.TrimRight(servertest.Lines(servertest.Offer), "\r\n"), "application/sdp",
			201, ""},
		{"candidates without end", replace("a=mid:1\n",
			"a=mid:1\n"+strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n", 101)),
			"application/sdp", 400, "101 candidates"},
		{"large", servertest.Lines(servertest.Offer) + strings.Repeat("a=x\r\n", 30000), "application/sdp", 413,
			"131072"},
		{"JSON", servertest.Lines(servertest.Offer), "application/json", 415, "application/sdp"},
		{"no type", servertest.Lines(servertest.Offer), "", 415, "application/sdp"},
		{"type with parameter", servertest.Lines(servertest.Offer), "application/sdp; charset=utf-8", 201, ""},
		{"no video", servertest.Lines(strings.Replace(servertest.Offer, video, "", 1)), "application/sdp", 422,
			"no video"},
		{"video turned off", replace("m=video 9", "m=video 0"), "application/sdp", 422, "no video"},
		{"codecs unknown", replace("VP8/90000", "AV1X/90000", "H264/90000", "H265/90000"), "application/sdp", 422,
			"VP8, H264, VP9, AV1"},
		{"two videos", twoVideos, "application/sdp", 422, "2 videos"},
		{"two streams in one section", replace("a=ssrc-group:FID 2231627014 632943048\n", "", "a=msid:stream track\n",
			""), "application/sdp", 201, ""},
		{"forward error correction", replace("a=ssrc-group:FID 2231627014 632943048\n",
			"a=ssrc-group:FEC-FR 2231627014 7\na=ssrc-group:FID 2231627014 632943048\na=ssrc:7 cname:x\n"),
			"application/sdp", 201, ""},
		{"simulcast", replace("a=mid:1\n", "a=mid:1\na=rid:h send\na=simulcast:send h;;l\n"), "application/sdp",
			201, ""},
		{"simulcast without SSRCs", simulcast, "application/sdp", 201, ""},
		{"video without SSRC or rid beside others", cut(`a=ssrc(-group)?:.*\n`), "application/sdp", 422, "a=ssrc"},
		{"receiving video", replace("a=sendonly\n", "a=recvonly\n"), "application/sdp", 422, "a=sendonly"},
		{"no directions", cut(`a=sendonly\n`), "application/sdp", 201, ""},
		{"text section", replace("m=audio 9", "m=text 9"), "application/sdp", 422, `"text"`},
		{"lower case codec", replace("VP8/", "vp8/"), "application/sdp", 201, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := begin(t, idle(), nil)
			s.call(t, call{"GET", "/healthz", nil, ""}) // it is serving
			before := goleak.IgnoreCurrent()
			c := offerCall(row.body)
			c.header["Content-Type"] = row.kind
			res, body := s.call(t, c)
			if res.StatusCode != row.status {
				t.Fatalf("status %d, want %d: %s", res.StatusCode, row.status, body)
			}
			if row.status == http.StatusCreated {
				checkVideoAccepted(t, body)
				return
			}
			if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			var p problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != row.status ||
				!strings.Contains(p.Detail, row.detail) {
				t.Errorf("problem %s (%v), want one on %q", body, err, row.detail)
			}
			if n := s.Stats().Sessions; n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			servertest.NoGoroutines(t, before)
		})
	}
}

// checkVideoAccepted wants an answer whose video is in use, in the group, and of one encoding.
func checkVideoAccepted(t *testing.T, text string) {
	t.Helper()
	answer := &sdp.SessionDescription{}
	if err := answer.UnmarshalString(text); err != nil {
		t.Fatalf("answer: %v", err)
	}
	group, _ := answer.Attribute(sdp.AttrKeyGroup)
	for _, m := range answer.MediaDescriptions {
		if m.MediaName.Media != "video" {
			continue
		}
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		if m.MediaName.Port.Value == 0 || !slices.Contains(strings.Fields(group), mid) {
			t.Errorf("the video is not accepted; group %q: %s", group, text)
		}
		for _, key := range []string{"simulcast", "rid"} {
			if value, ok := m.Attribute(key); ok {
				t.Errorf("the answer has a=%s:%s", key, value)
			}
		}
	}
}
