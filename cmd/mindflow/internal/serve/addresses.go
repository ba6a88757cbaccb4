package serve

import (
	"io"
	"net/netip"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server"
	"mindflow/server/ports"
)

// openAddresses puts the addresses that media reaches the server at into cfg. Where the settings ask for it, it watches
// the public address by a STUN server until the closer is closed.
func openAddresses(s settings.ICE, cfg *server.Config) io.Closer {
	cfg.MediaTCP, cfg.Turn, cfg.TurnTLS, cfg.TurnHost = s.MediaTCP, s.Turn, s.TurnTLS, s.TurnHost
	var fixed []netip.Addr
	var found *ports.PublicIP
	for _, text := range s.PublicIPs {
		if ip, err := netip.ParseAddr(text); err == nil {
			fixed = append(fixed, ip.Unmap())
		} else if found == nil {
			found = ports.WatchPublicIP(s.STUNServer, cfg.Log)
		}
	}
	switch {
	case found != nil:
		cfg.PublicIPs = func() []netip.Addr { return append(fixed[:len(fixed):len(fixed)], found.Addr()) }
		return found
	case len(fixed) > 0:
		cfg.PublicIPs = func() []netip.Addr { return fixed }
	}
	return nothing{}
}

// nothing is a closer of nothing.
type nothing struct{}

func (nothing) Close() error { return nil }
