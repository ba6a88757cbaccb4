package settings

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// ICE holds the settings of serve on the addresses that media reaches it at.
type ICE struct {
	MediaTCP   string // optional
	PublicIPs  List   // addresses, or PublicIPAuto
	STUNServer string // optional

	Turn, TurnTLS, TurnHost string // optional
}

// PublicIPAuto stands for the public address that a STUN server reports.
const PublicIPAuto = "auto"

func (c *ICE) declare(fs *flag.FlagSet) {
	fs.StringVar(&c.MediaTCP, "media-tcp", "", "TCP `address`, such as :8189, for the media of those whose network "+
		"lets no UDP through; none where not named")
	fs.Var(&c.PublicIPs, "public-ip", "`address` that the media ports are reached at from outside, where a router or "+
		"a cloud maps it to this machine (1:1 NAT); several: repeat or use commas; auto asks --stun-server for it. "+
		"Needless on a LAN")
	fs.StringVar(&c.STUNServer, "stun-server", "", "`host:port` of the STUN server that --public-ip auto asks, at the "+
		"start and every ten minutes; nobody is asked otherwise")
	fs.StringVar(&c.Turn, "turn", "", "UDP and TCP `address`, such as :3478, of a TURN server for those that reach "+
		"the media ports no other way; it relays to the UDP media port alone, for sessions alone; none where not named")
	fs.StringVar(&c.TurnTLS, "turn-tls", "", "TCP `address`, such as :5349, of TURN over TLS, with the certificate of "+
		"HTTPS; none where not named")
	fs.StringVar(&c.TurnHost, "turn-host", "", "`name` or address by which publishers find --turn and --turn-tls; "+
		"where not named, the one by which they found the server")
}

func (c *ICE) check() error {
	asks := false
	for _, text := range c.PublicIPs {
		if text == PublicIPAuto {
			asks = true
			continue
		}
		if ip, err := netip.ParseAddr(text); err != nil || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return fmt.Errorf("--public-ip %s: use an address such as 203.0.113.7, or auto", text)
		}
	}
	switch {
	case asks && c.STUNServer == "":
		return errors.New("--public-ip auto without --stun-server: name a STUN server to ask, such as " +
			"stun.example.org:3478, or the address itself")
	case !asks && c.STUNServer != "":
		return errors.New("--stun-server without --public-ip auto: nothing would be asked; add that or leave it out")
	case c.TurnHost != "" && c.Turn == "" && c.TurnTLS == "":
		return errors.New("--turn-host without --turn: there is nothing to find there; add --turn :3478 or leave it " +
			"out")
	case strings.ContainsAny(c.TurnHost, "/:<>\" ") && net.ParseIP(c.TurnHost) == nil:
		return fmt.Errorf("--turn-host %s: use a name or an address alone, such as turn.example.org", c.TurnHost)
	}
	for name, address := range map[string]string{
		"media-tcp": c.MediaTCP, "stun-server": c.STUNServer, "turn": c.Turn, "turn-tls": c.TurnTLS,
	} {
		if _, _, err := net.SplitHostPort(address); address != "" && err != nil {
			return fmt.Errorf("--%s %s: use host:port", name, address)
		}
	}
	return nil
}
