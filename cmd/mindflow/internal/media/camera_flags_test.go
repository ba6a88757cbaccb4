package media

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/pipeline"
)

func TestCameraFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--synthetic --camera 0", "choose one of"},
		{"--synthetic --device 0", "choose one of"},          // which is a camera
		{"--synthetic --size 9 --device cuda:1", "--size 9"}, // which is none
		{"--input a.mp4 --synthetic", "choose one of"},
		{"--synthetic --size 640", "--size 640: use WIDTHxHEIGHT"},
		{"--synthetic --size 641x480", "even"},
		{"--synthetic --size 640x480x3", "even"},
		{"--synthetic --rate 0", "--rate 0: use 1 to 240"},
		{"--synthetic --bitrate 10", "--bitrate 10: use 30 to 50000"},
		{"--synthetic --publish example.com", "--publish: not the address"},
		{"--synthetic --publish ftp://example.com", "--publish: not the address"},
		{"--synthetic --publish http://me:secret@example.com", "--token instead"},
		{"--synthetic --publish http://example.com --token a\tsecret", "beyond ASCII"},
		{"clip.mp4", "--input"},
		{"--input /nowhere/clip.mp4", "/nowhere/clip.mp4"},
	} {
		var out bytes.Buffer
		args := slices.Concat(strings.Split(c.args, " "), clitest.EngineArgs(t))
		err := Camera().Execute(t.Context(), args, nil, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") ||
			out.Len() > 0 {
			t.Errorf("%s: %v, want %q in it; printed %q", c.args, err, c.want, out.String())
		}
	}
	for text, want := range map[string]string{
		"http://a:80": "http://a:80/whip", "https://a/": "https://a/whip",
		"https://a/b/whip?room=1": "https://a/b/whip?room=1",
		"https://a/faces/":        "https://a/faces/whip", "https://a/faces/?room=1": "https://a/faces/whip?room=1",
		"https://a/b/whip/": "https://a/b/whip/", "https://a/b/other": "https://a/b/other",
	} {
		if got, err := whipURL(text); err != nil || got != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
}

func messageOf(m videoMessage) *pipeline.Message { return &pipeline.Message{V: m.V, Faces: m.Faces} }

// TestLabelPrinter: on a terminal one line is kept up to date. Elsewhere a line is printed when the labels change.
func TestLabelPrinter(t *testing.T) {
	const message = `{"v":1,"faces":[{"label":"happy","confidence":0.8},` +
		`{"label":"sad","confidence":0.3,"uncertain":true}]}`
	m := lines(t, message+"\n")[0]
	for _, redraw := range []bool{false, true} {
		var out, aside strings.Builder
		r := newLabelPrinter(&out, &aside, false)
		r.redraw = redraw
		for i := range 3 {
			if err := r.message(messageOf(m), time.Duration(i)*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		r.notice("a %s", "word")
		r.notice("a word")
		m.Faces[0].Confidence = 0.9
		if err := r.message(messageOf(m), 3*time.Second); err != nil {
			t.Fatal(err)
		}
		m.Faces[0].Confidence = 0.8
		r.end()
		want := "   0.0 s  happy 80%, uncertain 30%\n"
		if redraw {
			want = ""
			for i := range 3 {
				want += fmt.Sprintf("\r\x1b[K   %d.0 s  happy 80%%, uncertain 30%%", i)
			}
			want += "\r\x1b[K\r\x1b[K   3.0 s  happy 90%, uncertain 30%\n"
		}
		if out.String() != want || aside.String() != "mindflow: a word\n" {
			t.Errorf("redraw %v: %q and %q, want %q", redraw, out.String(), aside.String(), want)
		}
	}
	if _, shown := describe(slices.Concat(m.Faces, m.Faces, m.Faces)); shown != "happy 80%, uncertain 30%, happy 80%, "+
		"and 3 more" {
		t.Errorf("many faces: %q", shown)
	}
}

// TestLabelPrinterOfServers: a server's words do not control the terminal, and JSON names its model.
func TestLabelPrinterOfServers(t *testing.T) {
	var out, aside strings.Builder
	m := &pipeline.Message{V: 1, Model: "theirs", Faces: []pipeline.Label{{Label: "happy\x1b[2J\u202e",
		Confidence: 0.8}}}
	if err := newLabelPrinter(&out, &aside, false).message(m, 0); err != nil {
		t.Fatal(err)
	}
	if want := `   0.0 s  happy\x1b[2J\u202e 80%` + "\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	if err := newLabelPrinter(&out, &aside, true).message(m, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"model":"theirs"`) {
		t.Errorf("the model is missing in %s", out.String())
	}
	if said := (&byeError{"abuse\x1b[2J"}).Error(); strings.Contains(said, "\x1b") {
		t.Errorf("the end is said as %q", said)
	}
}
