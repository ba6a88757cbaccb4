package server

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v2"
	"github.com/pion/transport/v2/vnet"

	"mindflow/pipeline"
	"mindflow/server/ports"
	"mindflow/server/servertest"
	"mindflow/server/whipclient"
)

// virtual is an internet of Pion's vnet. A publisher stands in a home behind a router, whose NAT gives each of its
// flows a port (RFC 4787: address and port-dependent, the strictest). What is sent to outside there reaches the
// server's real media port.
type virtual struct {
	home     *vnet.Net // the publisher's
	loss     float64
	cut      atomic.Bool   // nothing leaves the home, nor comes into it
	sent     atomic.Uint32 // the newest frame's RTP timestamp
	mappings atomic.Int64
}

const (
	outside = "203.0.113.5" // of the server, as from a 1:1 NAT
	// after which the home's router forgets a flow that is silent; more than ICE's two seconds between checks
	forgets  = 3 * time.Second
	lineTime = 20 * time.Millisecond
)

// newVirtual builds it around s, which has to say that it is found outside. A share of all packets is lost.
func newVirtual(t *testing.T, s *Server, loss float64) *virtual {
	t.Helper()
	v := &virtual{loss: loss}
	logs := ports.PionLogs{Log: slog.New(slog.DiscardHandler)}
	internet, err := vnet.NewRouter(
		&vnet.RouterConfig{
			CIDR:          "203.0.113.0/24",
			MinDelay:      lineTime,
			MaxJitter:     10 * time.Millisecond,
			LoggerFactory: logs,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(5, 6)) // guarded by mu
	internet.AddChunkFilter(func(vnet.Chunk) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64() >= loss
	})
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "192.168.0.0/24", StaticIP: "203.0.113.20", LoggerFactory: logs,
		NATType: &vnet.NATType{
			MappingBehavior:   vnet.EndpointAddrPortDependent,
			FilteringBehavior: vnet.EndpointAddrPortDependent,
			MappingLifeTime:   forgets,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	router.AddChunkFilter(func(vnet.Chunk) bool { return !v.cut.Load() })
	edge := host(t, internet, outside)
	v.home = host(t, router, "192.168.0.2")
	if err := internet.AddRouter(router); err != nil {
		t.Fatal(err)
	}
	if err := internet.Start(); err != nil {
		t.Fatal(err)
	}
	v.bridge(t, edge, s.MediaAddr().(*net.UDPAddr))
	t.Cleanup(func() {
		if err := internet.Stop(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func host(t *testing.T, r *vnet.Router, ip string) *vnet.Net {
	t.Helper()
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIP: ip})
	if err == nil {
		err = r.AddNet(n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bridge passes what comes to the server's address outside on to the real one, by a socket for each address that it
// comes from.
func (v *virtual) bridge(t *testing.T, edge *vnet.Net, server *net.UDPAddr) {
	t.Helper()
	port, err := edge.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(outside), Port: server.Port})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Add(1)
	flows := map[string]*net.UDPConn{} // owned by the goroutine until it ends
	go func() {
		defer work.Done()
		buf := make([]byte, 2048)
		for {
			n, from, err := port.ReadFrom(buf)
			if err != nil {
				return
			}
			flow := flows[from.String()]
			if flow == nil {
				if flow, err = net.DialUDP("udp", nil, server); err != nil {
					return
				}
				flows[from.String()] = flow
				v.mappings.Add(1)
				work.Add(1)
				go func() {
					defer work.Done()
					back(flow, port, from)
				}()
			}
			_, _ = flow.Write(buf[:n])
		}
	}()
	t.Cleanup(func() {
		_ = port.Close()
		v.cut.Store(true)
		for _, flow := range flows {
			_ = flow.Close()
		}
		work.Wait()
	})
}

func back(from *net.UDPConn, port transport.UDPConn, to net.Addr) {
	buf := make([]byte, 2048)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		_, _ = port.WriteTo(buf[:n], to)
	}
}

// Sessions over a virtual internet, whose publisher is behind a NAT: labels come, come again within a second after a
// clean line was away or the publisher has another address, and nothing is left of the session.
func TestVirtualNetwork(t *testing.T) {
	units := clip(t, pipeline.VP8, 320, 180)
	for _, row := range []struct {
		name string
		loss float64
		// nothing passes for so long; longer than forgets, and the publisher has another address after it
		away time.Duration
	}{
		{"behind a NAT", 0, 0},
		{"5 % lost", 0.05, 0},
		{"away for a moment", 0, time.Second},
		{"another address", 0, forgets + time.Second},
		{"another address, 5 % lost", 0.05, forgets + time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := begin(t, decoding(servertest.OneFace{}), func(c *Config) {
				c.PublicIPs = func() []netip.Addr { return []netip.Addr{netip.MustParseAddr(outside)} }
			})
			v := newVirtual(t, s, row.loss)
			t.Run("session", func(t *testing.T) { // ends before the network does
				p := dial(
					t,
					s,
					whipclient.Options{Codec: pipeline.VP8, Net: v.home, Fallback: true, OnSend: v.sent.Store},
				)
				p.Stream(units)
				before := p.Label("labels", servertest.Any)
				before = p.Label(
					"thirty frames' time of them",
					func(m pipeline.Message) bool { return m.RTP > before.RTP+90000 },
				)
				if row.away > 0 {
					var took time.Duration
					before, took = v.comeBack(t, p, row.away)
					if took > time.Second && v.loss == 0 { // else a restart's request or a key frame may be lost, too
						t.Errorf("labels came %s after the line was back", took)
					}
				}
				p.Label("labels to the end", func(m pipeline.Message) bool { return m.Seq > before.Seq+10 })
				if row.loss == 0 { // else what SCTP sends again may be lost as well, and it waits for up to a minute
					servertest.WaitFor(t, "labels by their channel", func() bool { return !p.OnFallback() })
					p.Label("labels by their channel", servertest.Any)
				}
			})
			servertest.WaitFor(t, "the session to be gone", func() bool { return s.Stats().Sessions == 0 })
			servertest.NoDecoders(t)
			if d := s.Stats().Refused; d["dtls-role"]+d["stun-malformed"] > 0 {
				t.Errorf("the filter refused %v", d)
			}
		})
	}
}

// comeBack takes the line away and gives it back, upon which a publisher whose address changed restarts ICE, as a
// browser does. It gives the first label of what was sent after that.
func (v *virtual) comeBack(
	t *testing.T,
	p servertest.Publisher,
	away time.Duration,
) (m pipeline.Message, took time.Duration) {
	t.Helper()
	known := v.mappings.Load()
	v.cut.Store(true)
	gone := time.NewTimer(away)
	defer gone.Stop()
	<-gone.C
	p.DrainLabels()
	last := v.sent.Load()
	v.cut.Store(false)
	began := time.Now()
	if away > forgets {
		if err := p.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	m = p.Label("labels after the line", func(m pipeline.Message) bool { return m.RTP > last })
	took = time.Since(began)
	t.Logf("labels %s after the line, over %d more addresses", took.Round(time.Millisecond), v.mappings.Load()-known)
	if moved := v.mappings.Load() > known; away > forgets && !moved {
		t.Error("the publisher's address did not change")
	}
	return m, took
}
