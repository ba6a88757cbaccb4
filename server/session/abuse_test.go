package session

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pion/datachannel"
	"golang.org/x/time/rate"

	"mindflow/server/servertest"
)

// talker is a publisher whose control channel the test reads and writes itself. It sends no media.
type talker struct {
	datachannel.ReadWriteCloser
	t *testing.T
}

// talk opens a session with a control channel.
func talk(t *testing.T, s *host) talker {
	t.Helper()
	pc := newPeer(t)
	control, err := pc.CreateDataChannel(controlLabel, nil)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan datachannel.ReadWriteCloser, 1)
	control.OnOpen(func() {
		if raw, err := control.Detach(); err == nil {
			opened <- raw
		}
	})
	s.connect(t, pc)
	select {
	case raw := <-opened:
		return talker{raw, t}
	case <-time.After(servertest.Patience):
		t.Fatal("the control channel did not open")
		return talker{}
	}
}

// hear gives the server's next message. It reports false when the connection is over.
func (k talker) hear() (r reply, ok bool) {
	k.t.Helper()
	buf := make([]byte, maxRequest)
	n, _, err := k.ReadDataChannel(buf)
	if err != nil {
		return reply{}, false
	}
	if err := json.Unmarshal(buf[:n], &r); err != nil {
		k.t.Fatalf("%s: %v", buf[:n], err)
	}
	return r, true
}

// last gives the last message of the server's before the connection ended, and how many came in all.
func (k talker) last() (r reply, count int) {
	k.t.Helper()
	for next, ok := k.hear(); ok; next, ok = k.hear() {
		r = next
		count++
	}
	return r, count
}

func TestUnusableRequests(t *testing.T) {
	s := begin(t, idle(), nil)
	k := talk(t, s)
	k.hear() // hello
	none := int64(-1)
	for _, row := range []struct {
		name, message string
		bytes         bool
		id            int64
		code          string
	}{
		{"unknown type", `{"v":1,"type":"dance","id":7}`, false, 7, "unknown-type"},
		{"another version", `{"v":2,"type":"pause","id":8}`, false, 8, "bad-version"},
		{"no id", `{"v":1,"type":"pause"}`, false, none, "bad-message"},
		{"id of another type", `{"v":1,"type":"pause","id":"a"}`, false, none, "bad-message"},
		{"id too large", `{"v":1,"type":"pause","id":99999999999999999999}`, false, none, "bad-message"},
		{"deep id", `{"v":1,"type":"pause","id":{"deep":1}}`, false, none, "bad-message"},
		{"no JSON", `pause`, false, none, "bad-message"},
		{"a list", `[{"v":1,"type":"pause","id":1}]`, false, none, "bad-message"},
		{"cut short", `{"v":1,"type":"pau`, false, none, "bad-message"},
		{"two at once", `{"v":1,"type":"pause","id":1}{"v":1,"type":"pause","id":2}`, false, none, "bad-message"},
		{"deeply nested", strings.Repeat("[", 16<<10), false, none, "bad-message"},
		{"not UTF-8", "\xff\xfe", false, none, "bad-message"},
		{"empty", "", false, none, "bad-message"},
		{"bytes", `{"v":1,"type":"pause","id":1}`, true, none, "bad-message"},
		{"no bytes", "", true, none, "bad-message"},
		{"too large", `{"v":1,"type":"` + strings.Repeat("x", maxRequest) + `"}`, false, none, "too-large"},
		{"as large as SCTP lets a peer send that was told nothing", strings.Repeat("x", 65536), false, none,
			"too-large"},
	} {
		if _, err := k.WriteDataChannel([]byte(row.message), !row.bytes); err != nil {
			t.Fatal(err)
		}
		r, ok := k.hear()
		id := none
		if r.ID != nil {
			id = *r.ID
		}
		if !ok || r.V != 1 || r.Type != "error" || r.Code != row.code || id != row.id || r.Message == "" {
			t.Errorf("%s: answer %+v, %d; want %s, %d", row.name, r, id, row.code, row.id)
		}
	}
	if _, err := k.WriteDataChannel([]byte(`{"v":1,"type":"pause","id":9}`), true); err != nil {
		t.Fatal(err)
	}
	if r, _ := k.hear(); r.Type != "ok" || *r.ID != 9 {
		t.Errorf("after all that, pause is answered by %+v", r)
	}
}

// A publisher that asks without end is refused, and then its session ends, whether it reads the answers or not.
func TestFlood(t *testing.T) {
	for name, message := range map[string]string{
		"requests": `{"v":1,"type":"resume","id":9}`,
		"rubbish":  `rubbish`,
		"large":    strings.Repeat("x", maxRequest+1),
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, idle(), nil)
			k := talk(t, s)
			flooded := make(chan struct{})
			go func() { k.flood(message); close(flooded) }()
			s.ended(t)
			bye, count := k.last()
			if bye.Type != "bye" || bye.Reason != "abuse" {
				t.Errorf("the last of %d messages is %+v", count, bye)
			}
			if count < refusalBurst || count > 3*refusalBurst {
				t.Errorf("%d messages to one who floods", count)
			}
			<-flooded
		})
	}
}

// flood sends far more messages than are borne, or until the connection ends. Not without end: Pion slows no
// writer down, and keeps all that waits.
func (k talker) flood(message string) {
	for range 20 * refusalBurst {
		if _, err := k.WriteDataChannel([]byte(message), true); err != nil {
			return
		}
	}
}

// A page of ten clicks a second is never refused, nor is its session ended; one of twenty is refused,
// and lives.
func TestClicksAreNoFlood(t *testing.T) {
	start := time.Now()
	for _, row := range []struct {
		rate    int // a second
		refused bool
		ends    bool
	}{{10, false, false}, {20, true, false}, {60, true, true}} {
		s := &Session{
			requests: rate.NewLimiter(requestRate, requestBurst),
			refusals: rate.NewLimiter(refusalRate, refusalBurst),
		}
		refused, ends := false, false
		for i := range row.rate * 3600 {
			now := start.Add(time.Duration(i) * time.Second / time.Duration(row.rate))
			if !s.requests.AllowN(now, 1) {
				refused = true
				ends = ends || !s.refusals.AllowN(now, 1)
			}
		}
		if refused != row.refused || ends != row.ends {
			t.Errorf("%d requests a second: refused %v, ended %v", row.rate, refused, ends)
		}
	}
}
