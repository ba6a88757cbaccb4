package sdpfrag

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

const host = "1 1 udp 2122260223 192.0.2.1 61764 typ host"

func TestParse(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       Fragment
		err        string
	}{
		{"candidates of two sections",
			"a=ice-ufrag:EsAw\r\na=ice-pwd:p\r\nm=video 9 RTP/AVP 0\r\na=mid:1\r\na=candidate:" + host +
				"\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:x\r\na=end-of-candidates\r\n",
			Fragment{"EsAw", "p", []Candidate{{"1", host}, {"0", "x"}}}, ""},
		{"no candidate, lines ended by LF", "a=ice-ufrag:EsAw\na=ice-pwd:p\n", Fragment{"EsAw", "p", nil}, ""},
		{"section without mid", "a=ice-ufrag:E\na=mid:7\nm=video 9 RTP/AVP 0\na=candidate:x\n",
			Fragment{"E", "", []Candidate{{"", "x"}}}, ""},
		{"no ufrag", "a=candidate:x\r\n", Fragment{}, "ice-ufrag"},
		{"empty", "", Fragment{}, "ice-ufrag"},
		{"no SDP", "hello", Fragment{}, "no line of SDP"},
		{"flood", "a=ice-ufrag:E\n" + strings.Repeat("a=candidate:x\n", 101), Fragment{}, "101 candidates"},
	} {
		got, err := Parse(row.body)
		if row.err == "" && (err != nil || !reflect.DeepEqual(got, row.want)) {
			t.Errorf("%s: %+v, %v, want %+v", row.name, got, err, row.want)
		}
		if row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
			t.Errorf("%s: error %v, want one on %s", row.name, err, row.err)
		}
	}
}

func TestApply(t *testing.T) {
	var d sdp.SessionDescription
	old := "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:old\r\na=ice-pwd:secret\r\n" +
		"a=candidate:x\r\na=end-of-candidates\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:old\r\na=ice-pwd:secret\r\na=sendonly\r\n"
	if err := d.UnmarshalString(old); err != nil {
		t.Fatal(err)
	}
	f := Fragment{"new", "password", []Candidate{{"1", host}}}
	again, err := f.Apply(&d)
	if err != nil {
		t.Fatal(err)
	}
	if got := Of(again); !reflect.DeepEqual(got, f) {
		t.Errorf("the copy says %+v, want %+v", got, f)
	}
	if got := Of(&d); got.Ufrag != "old" || len(got.Candidates) != 1 {
		t.Errorf("the original was changed to %+v", got)
	}
	if parsed, err := Parse(f.String()); err != nil || !reflect.DeepEqual(parsed, f) {
		t.Errorf("%q is read as %+v, %v", f.String(), parsed, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Fragment{"EsAw", "p", []Candidate{{"0", host}}}.String())
	f.Add("a=candidate\n\n\n")
	f.Fuzz(func(t *testing.T, body string) {
		frag, err := Parse(body)
		if err != nil {
			return
		}
		if again, err := Parse(frag.String()); err != nil || !reflect.DeepEqual(again, frag) {
			t.Errorf("%+v is written and read as %+v, %v", frag, again, err)
		}
	})
}
