package offer

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"mindflow/server/servertest"
)

func codecs(t *testing.T) Codecs {
	t.Helper()
	c, err := NewCodecs(AllCodecs())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parsed returns what Pion gets of an offer.
func parsed(t *testing.T, text string) *sdp.SessionDescription {
	t.Helper()
	o, err := codecs(t).Parse([]byte(servertest.Lines(text)), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestNamesAreNotResolved: a stranger must not make the server ask for names.
func TestNamesAreNotResolved(t *testing.T) {
	const candidate = "a=candidate:1 1 udp 1 "
	o := parsed(t, strings.Replace(servertest.Offer, "a=mid:1\n", "a=mid:1\n"+
		candidate+"victim.example 53 typ host\n"+candidate+"0123.local 5000 typ host\n"+
		candidate+"192.0.2.1 5000 typ host\n"+candidate+"relay.example 5000 typ relay raddr 0.0.0.0 rport 0\n", 1))
	var left []string
	for _, m := range o.MediaDescriptions {
		for _, a := range m.Attributes {
			if a.IsICECandidate() {
				left = append(left, a.Value)
			}
		}
	}
	if len(left) != 1 || !strings.Contains(left[0], "192.0.2.1") {
		t.Errorf("candidates %q", left)
	}
}

// TestOneStreamIsLeft: Pion takes a section of several streams for Plan B.
func TestOneStreamIsLeft(t *testing.T) {
	const group = "a=ssrc-group:FID 2231627014 632943048\n"
	for name, row := range map[string]struct {
		lines string // in place of group and the SSRCs
		want  []string
	}{
		"several tracks": {group + "a=ssrc:2231627014 cname:A\na=ssrc:632943048 cname:A\na=ssrc:7 cname:B\n",
			[]string{"ssrc-group:FID 2231627014 632943048", "ssrc:2231627014 cname:A", "ssrc:632943048 cname:A"}},
		"error correction": {"a=ssrc-group:FEC-FR 1 2\na=ssrc:1 cname:A\na=ssrc:2 cname:A\n",
			[]string{"ssrc:1 cname:A"}},
		"layers": {"a=ssrc-group:SIM 1 2 3\na=ssrc-group:FID 1 4\na=ssrc:1 x\na=ssrc:2 x\na=ssrc:3 x\na=ssrc:4 x\n",
			[]string{"ssrc-group:FID 1 4", "ssrc:1 x", "ssrc:4 x"}},
		"identifiers": {"a=rid:h send\na=rid:l send\na=simulcast:send h;l\n", []string{"rid:h send"}},
	} {
		t.Run(name, func(t *testing.T) {
			from := strings.Index(servertest.Offer, group)
			to := strings.Index(servertest.Offer, "m=application")
			o := parsed(t, servertest.Offer[:from]+row.lines+servertest.Offer[to:])
			var got []string
			for _, a := range o.MediaDescriptions[1].Attributes {
				switch a.Key {
				case "ssrc", "ssrc-group", "rid", "simulcast":
					got = append(got, a.Key+":"+a.Value)
				}
			}
			if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
				t.Errorf("left %q, want %q", got, row.want)
			}
		})
	}
}

// TestRejectedVideoIsRefused: an answer whose video is rejected would be a session without a picture.
func TestRejectedVideoIsRefused(t *testing.T) {
	o := parsed(t, servertest.Offer)
	answer := &sdp.SessionDescription{}
	for _, m := range o.MediaDescriptions {
		rejected := &sdp.MediaDescription{MediaName: m.MediaName}
		rejected.MediaName.Port.Value = 0
		answer.MediaDescriptions = append(answer.MediaDescriptions, rejected)
	}
	_, err := codecs(t).Complete(o, answer, 1, nil)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Kind != Unservable {
		t.Errorf("got %v", err)
	}
}
