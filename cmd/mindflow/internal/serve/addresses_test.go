package serve

import (
	"net/netip"
	"slices"
	"testing"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server"
)

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
