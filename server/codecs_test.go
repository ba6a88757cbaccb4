package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/server/servertest"
)

// A publisher sends the first codec of the answer: the server's choice when it has one, its own otherwise.
func TestCodecOrder(t *testing.T) {
	cases := []struct {
		name   string
		codecs []pipeline.Codec
		want   string // formats of the answer; 96 is VP8, 102 H264, the others their retransmissions
	}{
		{"the publisher's", nil, "96 102 97 103"},
		{"the server's", []pipeline.Codec{pipeline.H264, pipeline.VP8}, "102 96 97 103"},
		{"one alone", []pipeline.Codec{pipeline.H264}, "102 103"},
		{"some that are not offered", []pipeline.Codec{pipeline.AV1, pipeline.VP9, pipeline.VP8}, "96 97"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := begin(t, idle(), func(cfg *Config) { cfg.Codecs = c.codecs })
			response, err := http.Post(
				"http://"+s.Addr().String()+"/whip",
				offerType,
				strings.NewReader(servertest.Lines(servertest.Offer)),
			)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusCreated {
				t.Fatalf("%s: %s", response.Status, answer)
			}
			_, rest, _ := strings.Cut(string(answer), "m=video 9 UDP/TLS/RTP/SAVPF ")
			got, _, _ := strings.Cut(rest, "\r\n")
			if strings.Join(primaryFirst(got), " ") != c.want {
				t.Errorf("formats %q, want %q", got, c.want)
			}
		})
	}
}

// primaryFirst puts the retransmissions last: their place among the formats means nothing.
func primaryFirst(formats string) (list []string) {
	var repairs []string
	for _, f := range strings.Fields(formats) {
		if f == "97" || f == "103" {
			repairs = append(repairs, f)
		} else {
			list = append(list, f)
		}
	}
	return append(list, repairs...)
}
