package server

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

func withTurn(c *Config) { c.Turn = "127.0.0.1:0" }

// links are those of an answer that name relays, without what changes.
func links(r *http.Response) (list []string) {
	for _, link := range r.Header.Values("Link") {
		if at := strings.Index(link, "; username="); at >= 0 && strings.Contains(link, `rel="ice-server"`) {
			list = append(list, link[:at])
		}
	}
	return list
}

func ask(t *testing.T, method, url, body string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(servertest.Lines(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

// A session whose only way is the relay gets its labels, and its relay ends with it.
func TestTurn(t *testing.T) {
	s := begin(t, decoding(servertest.OneFace{}), withTurn)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Relay: true})
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 30))
	p.Label("a label", servertest.Any)
	if n := s.turn.Stats().Allocations; n == 0 {
		t.Error("nothing is allocated")
	}
}

// Credentials come with the answer to an offer, and to a question of who may post; nobody else is given any.
func TestIceServers(t *testing.T) {
	stand := httptest.NewUnstartedServer(nil)
	stand.StartTLS() // for its certificate
	stand.Close()
	s := begin(t, idle(), func(c *Config) {
		withTurn(c)
		c.MaxSessions = 1
	})
	port := strconv.Itoa(s.TurnPort())
	want := func(host string) []string {
		return []string{
			`<turn:` + host + `:` + port + `?transport=udp>; rel="ice-server"`,
			`<turn:` + host + `:` + port + `?transport=tcp>; rel="ice-server"`,
		}
	}
	offer := http.Header{"Content-Type": {"application/sdp"}}
	cases := []struct {
		name, method, body string
		header             http.Header
		want               []string
	}{
		{"refused", "POST", "no offer", offer, nil},
		{"let in", "POST", servertest.Offer, offer, want("127.0.0.1")},
		{"full", "POST", servertest.Offer, offer, nil},
		{"asked before", "OPTIONS", "", http.Header{}, want("127.0.0.1")},
		{"by another name", "OPTIONS", "", http.Header{"Host": {"demo.example.org:8443"}}, want("demo.example.org")},
		{"by an IPv6 address", "OPTIONS", "", http.Header{"Host": {"[2001:db8::1]"}}, want("[2001:db8::1]")},
		{"by no name", "OPTIONS", "", http.Header{"Host": {`a>;"b`}}, nil},
		{
			"by a browser, whether it may",
			"OPTIONS",
			"",
			http.Header{"Origin": {s.url("")}, "Access-Control-Request-Method": {"POST"}},
			nil,
		},
		{"the page", "GET", "", http.Header{}, nil},
	}
	for _, c := range cases {
		if got := links(ask(t, c.method, s.url("/whip"), c.body, c.header)); strings.Join(
			got,
			"\n",
		) != strings.Join(
			c.want,
			"\n",
		) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTurnNames(t *testing.T) {
	stand := httptest.NewUnstartedServer(nil)
	stand.StartTLS() // for its certificate
	stand.Close()
	s := begin(t, idle(), func(c *Config) {
		c.TurnTLS, c.TurnHost, c.TLS = "127.0.0.1:0", "turn.example.org", &tls.Config{
			Certificates: stand.TLS.Certificates,
		}
	})
	w := httptest.NewRecorder()
	s.iceServers(w, httptest.NewRequest("POST", "/whip", nil), "user")
	got := links(w.Result())
	if want := "<turns:turn.example.org:" + strconv.Itoa(s.turn.TLSPort()) + `?transport=tcp>; rel="ice-server"`; len(
		got,
	) != 1 ||
		got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
	conn, err := tls.Dial(
		"tcp",
		net.JoinHostPort("127.0.0.1", strconv.Itoa(s.turn.TLSPort())),
		&tls.Config{InsecureSkipVerify: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// What a session is called over the line is not what gives control of it.
func TestRelayUser(t *testing.T) {
	id := newID()
	if user := relayUser(id); strings.Contains(user, id[:8]) || strings.HasPrefix(user, anonymous) ||
		user == relayUser(newID()) {
		t.Errorf("%s of %s", user, id)
	}
}

func TestTurnNeedsPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, change := range map[string]func(*Config){
		"Turn":    func(c *Config) { c.Turn = taken.Addr().String() },
		"TurnTLS": func(c *Config) { c.TurnTLS, c.TLS = taken.Addr().String(), &tls.Config{} },
		"Media":   func(c *Config) { c.Media, c.Turn = "[::1]:0", "127.0.0.1:0" },
	} {
		cfg := Config{Listen: "127.0.0.1:0", MediaPorts: MediaPorts{Media: "127.0.0.1:0"}}
		change(&cfg)
		if s, err := New(cfg, idle()); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				_ = s.Close()
			}
		}
	}
}
