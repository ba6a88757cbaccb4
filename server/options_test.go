package server

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/session"
	"mindflow/server/whipclient"
)

// twoModels offers one-face and angry.
func twoModels() session.Engine { return engine(servertest.TwoModels()...) }

func TestModelOfTheOffer(t *testing.T) {
	s := begin(t, twoModels(), nil)
	for query, want := range map[string]string{"": "one-face", "?model=": "one-face", "?model=angry": "angry"} {
		c, err := whipclient.Dial(t.Context(), s.url("/whip"+query), whipclient.Options{Codec: pipeline.VP8})
		if err != nil {
			t.Fatal(err)
		}
		hello := servertest.Publisher{
			Client: c,
			T:      t,
		}.Says(
			"hello",
			func(c whipclient.Control) bool { return c.Type == "hello" },
		)
		if hello.Model.Name != want || len(hello.Models) != 2 || hello.Models[0].Name != "one-face" ||
			hello.Models[0].Attention ||
			!slices.Equal(hello.Models[1].Labels, []string{"anger", "happy", "neutral"}) ||
			!hello.Models[1].Attention {
			t.Errorf("%q: hello is %+v", query, hello)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	res, err := http.Post(s.url("/whip?model=happy"), offerType, strings.NewReader(servertest.Lines(servertest.Offer)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "one-face, angry") {
		t.Errorf("an unknown model: status %d, %s", res.StatusCode, text)
	}
}

func TestOptionsInFlight(t *testing.T) {
	units := testkit.TestSource(t, pipeline.VP8, 160, 120, 60)
	s := begin(t, twoModels(), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	p.Stream(units)
	m := p.Label("labels", servertest.Any)
	if f := m.Faces[0]; m.Model != "one-face" || f.Label != "happy" || len(f.Scores) != 2 || f.Attention != nil {
		t.Errorf("at first: %+v", m)
	}
	if ok := p.AskOptions(1, `,"attention":true,"zoom":4`); ok.Type != "ok" || ok.Model.Name != "one-face" {
		t.Errorf("attention: %+v", ok)
	}
	if ok := p.AskOptions(2, `,"model":"angry"`); ok.Type != "ok" || ok.Model.Name != "angry" ||
		len(ok.Model.Labels) != 3 {
		t.Errorf("model: %+v", ok)
	}
	// Every message says whose scores it holds, whatever was asked for meanwhile.
	m = p.Label("the other model", func(m pipeline.Message) bool {
		if n := len(m.Faces[0].Scores); (m.Model == "angry") != (n == 3) {
			t.Fatalf("%s has %d scores", m.Model, n)
		}
		return m.Model == "angry"
	})
	f := m.Faces[0]
	if f.ID != 1 || f.Label != "anger" || f.Scores[0] < 0.5 { // at once: the smoother began anew
		t.Errorf("the other model says %+v", f)
	}
	a := f.Attention
	if a == nil || a.Heads != 1 || a.Width != 2 || a.Height != 2 || !slices.Equal(a.Data, []byte{0, 51, 51, 255}) ||
		a.Ranges[0] != [2]float32{-1, 4} || a.Region != [4]float32{0.25, 0.5 - 0.5*80/120, 0.5, 80.0 / 120} {
		t.Errorf("attention is %+v", a)
	}
	p.AskOptions(3, `,"attention":false`)
	p.Label("no attention", func(m pipeline.Message) bool { return m.Model == "angry" && m.Faces[0].Attention == nil })
	if ok := p.AskOptions(4, ""); ok.Type != "ok" || ok.Model.Name != "angry" {
		t.Errorf("nothing asked for: %+v", ok)
	}
}

func TestOptionsRefused(t *testing.T) {
	s := begin(t, twoModels(), nil)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8})
	for i, row := range []struct{ fields, code, message string }{
		{`,"model":"dan"`, "unknown-model", "one-face, angry"},
		{`,"model":7`, "bad-message", "model"},
		{`,"model":null`, "bad-message", "model"},
		{`,"model":""`, "bad-message", "model"},
		{`,"model":["angry"]`, "bad-message", "model"},
		{`,"attention":"on"`, "bad-message", "attention"},
		{`,"attention":null`, "bad-message", "attention"},
		{`,"model":"angry","attention":1`, "bad-message", "attention"}, // nothing of it is done
	} {
		c := p.AskOptions(10+i, row.fields)
		if c.Type != "error" || c.Code != row.code || !strings.Contains(c.Message, row.message) {
			t.Errorf("%s: %+v", row.fields, c)
		}
	}
	if ok := p.AskOptions(30, ""); ok.Model.Name != "one-face" {
		t.Errorf("after refusals the model is %s", ok.Model.Name)
	}
}
