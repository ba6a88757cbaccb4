package ports

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func request(peer string, forwarded ...string) *http.Request {
	return &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": forwarded}}
}

func TestClientAddr(t *testing.T) {
	trusted, err := ParseProxies([]string{"127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		peer      string
		forwarded []string
		want      string
	}{
		{"no proxy", "192.0.2.1:1", nil, "192.0.2.1"},
		{"no proxy, and a lie", "192.0.2.1:1", []string{"198.51.100.7"}, "192.0.2.1"},
		{"a proxy", "127.0.0.1:1", []string{"192.0.2.1"}, "192.0.2.1"},
		{"a proxy, and a lie told to it", "127.0.0.1:1", []string{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
		{"a lie that names a proxy", "127.0.0.1:1", []string{"198.51.100.7, 10.1.1.1, 192.0.2.1"}, "192.0.2.1"},
		{"two proxies", "127.0.0.1:1", []string{"192.0.2.1, 10.1.1.1"}, "192.0.2.1"},
		{"two headers", "127.0.0.1:1", []string{"198.51.100.7", "192.0.2.1,10.1.1.1"}, "192.0.2.1"},
		{"IPv6 by a proxy of IPv6", "[2001:db8:1::9]:1", []string{"2001:db8:2::1"}, "2001:db8:2::1"},
		{"IPv6 with a port", "127.0.0.1:1", []string{"[2001:db8:2::1]:4000"}, "2001:db8:2::1"},
		{"IPv4 with a port", "127.0.0.1:1", []string{"192.0.2.1:4000"}, "192.0.2.1"},
		{"IPv4 within IPv6", "[::ffff:10.1.1.1]:1", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a zone", "127.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"a proxy that says nothing", "127.0.0.1:1", nil, "127.0.0.1"},
		{"a proxy that does not know", "127.0.0.1:1", []string{"192.0.2.1, unknown"}, "127.0.0.1"},
		{"nothing but commas", "127.0.0.1:1", []string{",,,"}, "127.0.0.1"},
		{"proxies only", "127.0.0.1:1", []string{"10.1.1.1, 10.1.1.2"}, "10.1.1.1"},
		{"an endless list", "127.0.0.1:1", []string{"192.0.2.1," + strings.Repeat("10.1.1.1,", 100_000) + "10.1.1.1"},
			"10.1.1.1"},
		{"no address", "somewhere", []string{"192.0.2.1"}, "invalid IP"},
	} {
		if got := trusted.ClientAddr(request(row.peer, row.forwarded...)).String(); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	if !Proxies(nil).IgnoresForwarded(request("127.0.0.1:1", "192.0.2.1")) ||
		trusted.IgnoresForwarded(request("127.0.0.1:1", "192.0.2.1")) ||
		Proxies(nil).IgnoresForwarded(request("192.0.2.1:1", "198.51.100.7")) ||
		Proxies(nil).IgnoresForwarded(request("127.0.0.1:1")) {
		t.Error("what is believed is mixed up")
	}
}

func TestClientNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::": "2001:db8:1:2::/64",
		"2001:db8:1:3::": "2001:db8:1:3::/64", "127.0.0.1": "invalid Prefix", "::1": "invalid Prefix",
	} {
		if got := ClientNetwork(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if ClientNetwork(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}

func TestParseProxies(t *testing.T) {
	for _, text := range []string{"", "localhost", "10.0.0.0/33", "10.0.0.1:80", "fe80::1%eth0", "*"} {
		_, err := ParseProxies([]string{"127.0.0.1", text})
		if err == nil || !strings.Contains(err.Error(), "10.0.0.0/8") {
			t.Errorf("%q: %v", text, err)
		}
	}
	p, err := ParseProxies([]string{"10.1.2.3/8"})
	if err != nil || p[0].String() != "10.0.0.0/8" {
		t.Errorf("%v, %v", p, err)
	}
}

// FuzzForwarded reads headers that clients forge: what precedes the proxy's own entry changes nothing.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.1", "a, b", "[::1]:1", ",", "10.0.0.1,,", "::ffff:1.2.3.4", "\x00"} {
		f.Add(seed)
	}
	trusted, err := ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lie string) {
		if got := trusted.ClientAddr(request("127.0.0.1:1", lie+", 192.0.2.1")).String(); got != "192.0.2.1" {
			t.Errorf("%q made it %s", lie, got)
		}
		if got := trusted.ClientAddr(request("198.51.100.7:1", lie)).String(); got != "198.51.100.7" {
			t.Errorf("%q made it %s", lie, got)
		}
		if a := trusted.ClientAddr(request("127.0.0.1:1", lie)); a.IsValid() && a.Zone() != "" {
			t.Errorf("%q: %s", lie, a)
		}
	})
}
