package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"mindflow/server"
	"mindflow/server/ports"
)

// reachFlags are the settings of how media finds its way to the server.
type reachFlags struct {
	mediaTCP   string // "" is none
	publicIPs  list   // addresses, or auto
	stunServer string // "" is none

	turn, turnTLS, turnHost string // "" is none
}

// auto is the public address that a STUN server tells.
const auto = "auto"

func newReachFlags(fs *flag.FlagSet) *reachFlags {
	r := &reachFlags{}
	fs.StringVar(&r.mediaTCP, "media-tcp", "", "TCP `address`, such as :8189, for the media of those whose network lets no UDP through; none where not named")
	fs.Var(&r.publicIPs, "public-ip", "`address` that the media ports are reached at from outside, where a router or a cloud maps it to this machine (1:1 NAT); several: repeat or use commas; auto asks --stun-server for it. Needless on a LAN")
	fs.StringVar(&r.stunServer, "stun-server", "", "`host:port` of the STUN server that --public-ip auto asks, at the start and every ten minutes; nobody is asked otherwise")
	fs.StringVar(&r.turn, "turn", "", "UDP and TCP `address`, such as :3478, of a TURN server for those that reach the media ports no other way; it relays to the UDP media port alone, for sessions alone; none where not named")
	fs.StringVar(&r.turnTLS, "turn-tls", "", "TCP `address`, such as :5349, of TURN over TLS, with the certificate of HTTPS; none where not named")
	fs.StringVar(&r.turnHost, "turn-host", "", "`name` or address by which publishers find --turn and --turn-tls; where not named, the one by which they found the server")
	return r
}

func (r *reachFlags) check() error {
	asks := false
	for _, text := range r.publicIPs {
		if text == auto {
			asks = true
			continue
		}
		if ip, err := netip.ParseAddr(text); err != nil || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return fmt.Errorf("--public-ip %s: use an address such as 203.0.113.7, or auto", text)
		}
	}
	switch {
	case asks && r.stunServer == "":
		return errors.New("--public-ip auto without --stun-server: name a STUN server to ask, such as stun.example.org:3478, or the address itself")
	case !asks && r.stunServer != "":
		return errors.New("--stun-server without --public-ip auto: nothing would be asked; add that or leave it out")
	}
	if r.turnHost != "" && r.turn == "" && r.turnTLS == "" {
		return errors.New("--turn-host without --turn: there is nothing to find there; add --turn :3478 or leave it out")
	}
	if strings.ContainsAny(r.turnHost, "/:<>\" ") && net.ParseIP(r.turnHost) == nil {
		return fmt.Errorf("--turn-host %s: use a name or an address alone, such as turn.example.org", r.turnHost)
	}
	for name, address := range map[string]string{"media-tcp": r.mediaTCP, "stun-server": r.stunServer, "turn": r.turn, "turn-tls": r.turnTLS} {
		if _, _, err := net.SplitHostPort(address); address != "" && err != nil {
			return fmt.Errorf("--%s %s: use host:port", name, address)
		}
	}
	return nil
}

// open puts the settings into cfg, and begins to ask for the public address if that is to be found out. The closer ends it.
func (r *reachFlags) open(cfg *server.Config) io.Closer {
	cfg.MediaTCP, cfg.Turn, cfg.TurnTLS, cfg.TurnHost = r.mediaTCP, r.turn, r.turnTLS, r.turnHost
	var fixed []netip.Addr
	var finder *ports.PublicIP
	for _, text := range r.publicIPs {
		if ip, err := netip.ParseAddr(text); err == nil {
			fixed = append(fixed, ip.Unmap())
		} else if finder == nil {
			finder = ports.WatchPublicIP(r.stunServer, cfg.Log)
		}
	}
	switch {
	case finder != nil:
		cfg.PublicIPs = func() []netip.Addr { return append(fixed[:len(fixed):len(fixed)], finder.Addr()) }
		return finder
	case len(fixed) > 0:
		cfg.PublicIPs = func() []netip.Addr { return fixed }
	}
	return nothing{}
}

// nothing is to be closed.
type nothing struct{}

func (nothing) Close() error { return nil }
