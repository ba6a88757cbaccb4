// Package publicip asks a STUN server (RFC 8489) which address this machine has from outside.
package publicip

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
	askEvery   = 10 * time.Minute // a line at home may get another address each day
	askAgain   = 30 * time.Second // after a question without answer
	answerWait = 10 * time.Second // for one question
	firstWait  = 500 * time.Millisecond
)

// Finder knows the address that was told last, and asks again from time to time. Close ends it.
type Finder struct {
	server string
	log    *slog.Logger
	found  atomic.Pointer[netip.Addr]
	end    context.CancelFunc
	ended  chan struct{}
}

// Find begins to ask server, host:port. It is said in the log what is found, and when nothing is.
func Find(server string, log *slog.Logger) *Finder {
	ctx, end := context.WithCancel(context.Background())
	f := &Finder{server: server, log: log, end: end, ended: make(chan struct{})}
	go f.run(ctx)
	return f
}

// Addr is the address that was told last. It is invalid as long as none was.
func (f *Finder) Addr() netip.Addr {
	if found := f.found.Load(); found != nil {
		return *found
	}
	return netip.Addr{}
}

// Close ends the asking.
func (f *Finder) Close() error {
	f.end()
	<-f.ended
	return nil
}

func (f *Finder) run(ctx context.Context) {
	defer close(f.ended)
	for {
		pause := askEvery
		if err := f.ask(ctx); err != nil && ctx.Err() == nil {
			f.log.Warn("the public address is not known; asking again", "err", err, "in", askAgain, "last", f.Addr())
			pause = askAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (f *Finder) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	addr, err := Ask(ctx, f.server)
	if err != nil {
		return err
	}
	if before := f.Addr(); addr != before {
		f.found.Store(&addr)
		f.log.Info("public address", "address", addr, "before", before)
	}
	return nil
}

// Ask asks once, again and again until ctx ends, as datagrams get lost. The error names the server and what to do.
func Ask(ctx context.Context, server string) (netip.Addr, error) {
	addr, err := ask(ctx, server)
	if err != nil {
		return netip.Addr{}, field.Errorf("STUNServer", "ask the STUN server %s: %w; see that UDP gets out, or name another", server, err)
	}
	return addr, nil
}

func ask(ctx context.Context, server string) (netip.Addr, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp4", server) // a socket of its own: only this server's answers arrive there
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
	for wait := firstWait; ; wait *= 2 {
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
			if addr, ok := answer(buf[:n], request.TransactionID); ok {
				return addr, nil
			}
		}
	}
}

// answer reads an answer to the question with that id. What is none is passed over: anybody may send it.
func answer(data []byte, id [stun.TransactionIDSize]byte) (netip.Addr, bool) {
	m := &stun.Message{Raw: append([]byte(nil), data...)}
	if m.Decode() != nil || m.Type != stun.BindingSuccess || m.TransactionID != id {
		return netip.Addr{}, false
	}
	var mapped stun.XORMappedAddress
	if mapped.GetFrom(m) != nil {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(mapped.IP)
	addr = addr.Unmap()
	return addr, ok && addr.Is4() && !addr.IsUnspecified() // the question went out over IPv4
}
