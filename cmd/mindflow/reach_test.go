package main

import (
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server"
)

func TestReachSettings(t *testing.T) {
	cases := []struct {
		name string
		args []string
		want string // in the error; "" is none
	}{
		{"no address", []string{"--public-ip", "example.org"}, "--public-ip example.org"},
		{"the unspecified address", []string{"--public-ip", "0.0.0.0"}, "--public-ip 0.0.0.0"},
		{"nobody to ask", []string{"--public-ip", "auto"}, "--stun-server"},
		{"nothing to ask", []string{"--stun-server", "stun.example.org:3478"}, "--public-ip auto"},
		{"a server without port", []string{"--public-ip", "auto", "--stun-server", "stun.example.org"}, "host:port"},
		{"a port without colon", []string{"--media-tcp", "8189"}, "--media-tcp 8189"},
		{"TURN over TLS without a certificate", []string{"--turn-tls", ":5349"}, "--turn-tls without HTTPS"},
		{"a name for nothing", []string{"--turn-host", "turn.example.org"}, "--turn-host without --turn"},
		{"a name with a port", []string{"--turn", ":3478", "--turn-host", "turn.example.org:3478"}, "--turn-host turn.example.org:3478"},
		{"a TURN port without colon", []string{"--turn", "3478"}, "--turn 3478"},
		{"TURN", []string{"--turn", ":3478", "--turn-tls", ":5349", "--tls-self-signed", "--turn-host", "2001:db8::7", "--open"}, ""},
		{"all", []string{"--public-ip", "203.0.113.7,2001:db8::7", "--media-tcp", ":8189"}, ""},
	}
	for _, c := range cases {
		err := run(t.Context(), append([]string{"serve", "--print-config"}, c.args...), io.Discard)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

func TestReachOpen(t *testing.T) {
	cfg := server.Config{}
	if err := openAddresses(settings.ICE{}, &cfg).Close(); err != nil || cfg.PublicIPs != nil {
		t.Errorf("without addresses there is somebody to ask, or %v", err)
	}
	some := settings.ICE{PublicIPs: settings.List{"203.0.113.7", "::ffff:203.0.113.8"}, MediaTCP: ":1"}
	if err := openAddresses(some, &cfg).Close(); err != nil {
		t.Error(err)
	}
	want := []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")}
	if got := cfg.PublicIPs(); !slices.Equal(got, want) || cfg.MediaTCP != ":1" {
		t.Errorf("%v and %q", got, cfg.MediaTCP)
	}
}
