package ports

import (
	"net/http"
	"testing"
)

func TestForwarded(t *testing.T) {
	trusted, err := ParseProxies([]string{"127.0.0.1", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		peer         string
		header       http.Header
		scheme, host string
	}{
		{"127.0.0.1:1", http.Header{}, "", ""},
		{"127.0.0.1:1", http.Header{"X-Forwarded-Host": {"a.example:8443"}}, "", "a.example:8443"},
		{"[::ffff:10.1.2.3]:1", http.Header{"X-Forwarded-Host": {"a.example"}, "X-Forwarded-Proto": {"HTTPS"}}, "https",
			"a.example"},
		{"127.0.0.1:1", http.Header{"X-Forwarded-Host": {"forged.example, a.example"}}, "", "a.example"},
		{"127.0.0.1:1", http.Header{"X-Forwarded-Host": {"forged.example", "a.example"}}, "", "a.example"},
		{"127.0.0.1:1", http.Header{"X-Forwarded-Proto": {"https"}}, "", ""},
		{"127.0.0.1:1", http.Header{"Forwarded": {`for=192.0.2.1;host=forged, Proto=https; Host="a.example:8443"`}},
			"https", "a.example:8443"},
		{"127.0.0.1:1", http.Header{"Forwarded": {"by;;=;for"}}, "", ""},
		// From elsewhere both are what a client made up.
		{"192.0.2.1:1", http.Header{"X-Forwarded-Host": {"a.example"}, "Forwarded": {"host=a.example"}}, "", ""},
		{"", http.Header{"X-Forwarded-Host": {"a.example"}}, "", ""},
	} {
		r := &http.Request{RemoteAddr: row.peer, Header: row.header}
		if scheme, host := trusted.Forwarded(r); scheme != row.scheme || host != row.host {
			t.Errorf("%s %v: %q, %q", row.peer, row.header, scheme, host)
		}
		if scheme, host := Proxies(nil).Forwarded(r); scheme != "" || host != "" {
			t.Errorf("%s %v, without trusted proxies: %q, %q", row.peer, row.header, scheme, host)
		}
	}
}
