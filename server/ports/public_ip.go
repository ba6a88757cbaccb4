package ports

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v3"

	"mindflow/pipeline/field"
)

const (
	queryEvery  = 10 * time.Minute // a line at home may get another address each day
	queryRetry  = 30 * time.Second // after a query without response
	queryTime   = 10 * time.Second // of one query, with its retransmissions
	firstResend = 500 * time.Millisecond
)

// PublicIP learns the public address of this host from a STUN server (RFC 8489), again and again until Close.
type PublicIP struct {
	server string
	log    *slog.Logger
	found  atomic.Pointer[netip.Addr]
	stop   context.CancelFunc
	done   chan struct{}
}

// WatchPublicIP starts to query server, host:port. It logs each address that it learns, and each failure.
func WatchPublicIP(server string, log *slog.Logger) *PublicIP {
	ctx, stop := context.WithCancel(context.Background())
	p := &PublicIP{server: server, log: log, stop: stop, done: make(chan struct{})}
	go p.run(ctx)
	return p
}

// Addr returns the address that was learned last. It is invalid before the first.
func (p *PublicIP) Addr() netip.Addr {
	if found := p.found.Load(); found != nil {
		return *found
	}
	return netip.Addr{}
}

// Close stops the queries.
func (p *PublicIP) Close() error {
	p.stop()
	<-p.done
	return nil
}

func (p *PublicIP) run(ctx context.Context) {
	defer close(p.done)
	for {
		pause := queryEvery
		if err := p.update(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("the public address is not known; asking again", "err", err, "in", queryRetry, "last", p.Addr())
			pause = queryRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (p *PublicIP) update(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	addr, err := QueryPublicIP(ctx, p.server)
	if err != nil {
		return err
	}
	if before := p.Addr(); addr != before {
		p.found.Store(&addr)
		p.log.Info("public address", "address", addr, "before", before)
	}
	return nil
}

// QueryPublicIP asks a STUN server for the public address of this host. It sends the request again until ctx ends,
// since datagrams get lost. The error is a *field.Error of STUNServer.
func QueryPublicIP(ctx context.Context, server string) (netip.Addr, error) {
	addr, err := query(ctx, server)
	if err != nil {
		return netip.Addr{}, field.Errorf("STUNServer",
			"ask the STUN server %s: %w; see that UDP gets out, or name another", server, err)
	}
	return addr, nil
}

func query(ctx context.Context, server string) (netip.Addr, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp4", server) // a socket of its own receives from this server alone
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.Addr{}, err
	}
	buf := make([]byte, 1500)
	for wait := firstResend; ; wait *= 2 {
		if _, err := conn.Write(request.Raw); err != nil && ctx.Err() == nil {
			return netip.Addr{}, err
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait)) // the socket is open
		if ctx.Err() != nil {
			return netip.Addr{}, errors.New("no answer")
		}
		for {
			n, err := conn.Read(buf)
			if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
				break
			} else if err != nil {
				return netip.Addr{}, err
			}
			if addr, ok := mappedAddr(buf[:n], request.TransactionID); ok {
				return addr, nil
			}
		}
	}
}

// mappedAddr returns the address in a response to the transaction id. ok is false for any other packet, which anybody
// may send.
func mappedAddr(data []byte, id [stun.TransactionIDSize]byte) (addr netip.Addr, ok bool) {
	m := &stun.Message{Raw: append([]byte(nil), data...)}
	if m.Decode() != nil || m.Type != stun.BindingSuccess || m.TransactionID != id {
		return netip.Addr{}, false
	}
	var mapped stun.XORMappedAddress
	if mapped.GetFrom(m) != nil {
		return netip.Addr{}, false
	}
	addr, ok = netip.AddrFromSlice(mapped.IP)
	addr = addr.Unmap()
	return addr, ok && addr.Is4() && !addr.IsUnspecified() // the request went out over IPv4
}
