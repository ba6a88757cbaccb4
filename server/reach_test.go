package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/ice/v2"

	"mindflow/pipeline"
	"mindflow/pipeline/testkit"
	"mindflow/server/servertest"
	"mindflow/server/session"
	"mindflow/server/whipclient"
)

func withTCP(c *Config) { c.MediaTCP = "127.0.0.1:0" }

// Where no UDP gets through, the same comes over TCP.
func TestMediaTCP(t *testing.T) {
	s := begin(t, decoding(servertest.OneFace{}), withTCP)
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, TCP: true})
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 30))
	p.Label("a label", servertest.Any)
}

// A publisher that leaves without a word frees its connections, and one that says nothing holds up no end.
func TestMediaTCPEnds(t *testing.T) {
	s := begin(t, decoding(servertest.OneFace{}), withTCP)
	silent, err := net.Dial("tcp", s.MediaTCPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() // after the server's end
	client, err := whipclient.Dial(t.Context(), s.url("/whip"), whipclient.Options{Codec: pipeline.VP8, TCP: true})
	if err != nil {
		t.Fatal(err)
	}
	sess := s.only(t)
	if err := client.Abort(); err != nil {
		t.Error(err)
	}
	sess.End(session.EndFailed)
	servertest.WaitFor(t, "the session's end", func() bool { return s.Stats().Sessions == 0 })
}

// A stranger cannot have the server connect to what it names.
func TestNoActiveTCP(t *testing.T) {
	s := begin(t, decoding(servertest.OneFace{}), withTCP)
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan net.Conn, 16)
	go func() {
		defer close(came)
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			came <- c
		}
	}()
	offer := strings.ReplaceAll(
		servertest.Offer,
		"a=sendonly\n",
		"a=sendonly\na=candidate:1 1 tcp 1518214911 127.0.0.1 "+port(target.Addr())+" typ host tcptype passive\n",
	)
	response, err := http.Post(s.url("/whip"), "application/sdp", strings.NewReader(servertest.Lines(offer)))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatalf("status %s", response.Status)
	}
	dial(t, s, whipclient.Options{Codec: pipeline.VP8, TCP: true}) // takes longer than to connect
	target.Close()
	for c := range came {
		c.Close()
		t.Error("the server connected to an address that a stranger named")
	}
}

// The addresses that a host has from outside stand in the answer beside its own, with both ports.
func TestPublicIPs(t *testing.T) {
	own := netip.MustParseAddr("127.0.0.1")
	s := begin(t, idle(), func(c *Config) {
		withTCP(c)
		c.PublicIPs = func() []netip.Addr {
			return []netip.Addr{own, netip.MustParseAddr("203.0.113.7"), {}, netip.MustParseAddr("2001:db8::7")}
		}
	})
	response, err := http.Post(s.url("/whip"), "application/sdp", strings.NewReader(servertest.Lines(servertest.Offer)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`a=candidate:(.*)\r\n`).FindAllStringSubmatch(answer.String(), -1) {
		c, err := ice.UnmarshalCandidate(m[1])
		if err != nil {
			t.Fatalf("%s: %v", m[1], err)
		}
		got = append(
			got,
			c.NetworkType().NetworkShort()+" "+c.Type().String()+" "+net.JoinHostPort(
				c.Address(),
				strconv.Itoa(c.Port()),
			),
		)
	}
	slices.Sort(got)          // they come in any order
	got = slices.Compact(got) // Pion names each for RTCP too
	udp, tcp := port(s.MediaAddr()), port(s.MediaTCPAddr())
	want := []string{
		"udp srflx 203.0.113.7:" + udp, "tcp srflx 203.0.113.7:" + tcp,
		"udp srflx [2001:db8::7]:" + udp, "tcp srflx [2001:db8::7]:" + tcp,
		"udp host 127.0.0.1:" + udp, "tcp host 127.0.0.1:" + tcp,
	}
	slices.Sort(want)
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("the answer has\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func port(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// HTTPS, with sessions and events over it.
func TestTLS(t *testing.T) {
	stand := httptest.NewUnstartedServer(nil)
	stand.StartTLS() // for its certificate
	defer stand.Close()
	s := begin(
		t,
		decoding(servertest.OneFace{}),
		func(c *Config) { c.TLS = &tls.Config{Certificates: stand.TLS.Certificates} },
	)
	client := stand.Client()
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + s.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.ProtoMajor != 1 {
		t.Errorf("it spoke %s; limits are for connections of HTTP/1.1", response.Proto)
	}
	c, err := whipclient.Dial(
		t.Context(),
		"https://"+s.Addr().String()+"/whip",
		whipclient.Options{Codec: pipeline.VP8, Client: client},
	)
	if err != nil {
		t.Fatal(err)
	}
	p := servertest.Publisher{Client: c, T: t}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("close client: %v", err)
		}
	})
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 30))
	p.Label("a label", servertest.Any)
}

// onlyPublic is a publisher's HTTP client that hears of no address but the public ones, as from another network.
type onlyPublic struct{}

func (onlyPublic) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	body = regexp.MustCompile(`a=candidate:.* typ host.*\r\n`).ReplaceAll(body, nil)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, err
}

// A router maps an address of its own to the server's (1:1 NAT): who knows only that gets there, and the answers come
// back from it.
func TestThroughNAT(t *testing.T) {
	outside := net.IPv4(127, 0, 0, 2) // where the server does not listen
	s := begin(t, decoding(servertest.OneFace{}), func(c *Config) {
		c.PublicIPs = func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.2")} }
	})
	media := s.MediaAddr().(*net.UDPAddr)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: outside, Port: media.Port})
	if err != nil {
		t.Skipf("this machine has no second loopback address: %v", err)
	}
	router := servertest.NewRelayOn(t, conn, media, func(int, bool) servertest.Fate { return servertest.Fate{} })
	p := dial(t, s, whipclient.Options{Codec: pipeline.VP8, Client: &http.Client{Transport: onlyPublic{}}})
	p.Stream(testkit.TestSource(t, pipeline.VP8, 160, 120, 30))
	p.Label("a label", servertest.Any)
	if !router.Used() {
		t.Error("nothing went through the router")
	}
}
