package session

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"mindflow/server/servertest"
)

// FuzzRequest has a session read and answer what a stranger says on the control channel, a message a line.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"id":{}}`, `[]`, `{"v":"1"}`, `null`, ``,
		`{"v":1,"type":"options","id":1,"model":"angry"}` + "\n" + `{"v":1,"type":"options","id":2,"attention":true}` +
			"\n" + `{"v":1,"type":"options","id":3,"attention":false}`,
		`{"v":1,"type":"options","id":1,"model":"angry","attention":null}`,
		`{"v":1,"type":"options","id":1,"model":"none","attention":true}`,
	} {
		f.Add([]byte(seed))
	}
	for _, kind := range []string{"pause", "resume", "options", "hello"} {
		example, err := os.ReadFile(filepath.Join("..", "..", "web", "testdata", "wire", "control-"+kind+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.ReplaceAll(example, []byte("\n"), nil))
	}
	engine := engine(servertest.TwoModels()...)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newMute(&engine)
		defer s.idle.Stop()
		refused := 0
		for n, line := range bytes.Split(data, []byte("\n")) {
			r, bad := parseRequest(line)
			if bad == nil && (r.ID == nil || *r.ID < 0 || *r.ID > maxID) {
				t.Errorf("%q is taken for a request", line)
			}
			if bad != nil && (bad.Code == "" || bad.Message == "") {
				t.Errorf("%q is refused without a reason", line)
			}
			paused, before := s.paused.Load(), s.choice.Load()
			s.answer(r, bad)
			if bad != nil || n >= requestBurst {
				refused++
				continue
			}
			if after := s.choice.Load(); after != before && r.Type != "options" ||
				s.paused.Load() != paused && r.Type != "pause" && r.Type != "resume" {
				t.Errorf("%q changed the session", line)
			}
			if (r.Type == "pause" || r.Type == "resume") && s.paused.Load() != (r.Type == "pause") {
				t.Errorf("after %q paused is %v", line, s.paused.Load())
			}
			s.holds(t, r)
		}
		if s.ctx.Err() != nil && refused < refusalBurst {
			t.Errorf("the session ended (%v) after %d refusals", context.Cause(s.ctx), refused)
		}
	})
}

// newMute is a session that has no connection: what it says goes nowhere.
func newMute(e *Engine) *Session {
	ctx, cancel := context.WithCancelCause(context.Background())
	now := time.Now()
	s := &Session{
		cfg: &Config{
			Engine: e,
		}, timing: Timing{NoMedia: time.Minute, PausedMax: time.Minute}, log: slog.New(slog.DiscardHandler),
		ctx: ctx, cancel: cancel, idle: time.NewTimer(time.Minute),
		requests: rate.NewLimiter(requestRate, requestBurst), refusals: rate.NewLimiter(refusalRate, refusalBurst),
	}
	s.choice.Store(&choice{analysis: e.Analyses[0]})
	s.heard.Store(now.UnixNano())
	return s
}

// holds looks that the session has a model that is offered, and the one that was asked for.
func (s *Session) holds(t *testing.T, r request) {
	t.Helper()
	name := s.model().Name
	offered := func(name string) bool {
		return slices.ContainsFunc(s.hello().Models, func(m modelInfo) bool { return m.Name == name })
	}
	if !offered(name) {
		t.Errorf("the session has the model %q", name)
	}
	if r.Type != "options" {
		return
	}
	if wish := r.changes.model; wish != nil && offered(*wish) && name != *wish {
		t.Errorf("%q was asked for, the session has %q", *wish, name)
	} else if wish != nil && !offered(*wish) {
		return // nothing changes
	}
	if wish := r.changes.attention; wish != nil && s.choice.Load().attention != *wish {
		t.Errorf("attention %v was asked for", *wish)
	}
}
