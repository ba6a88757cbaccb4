package ports

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"testing"
)

// fakeConn is a connection of an address that can be closed.
type fakeConn struct {
	net.Conn
	addr   string
	closed bool
}

func (f *fakeConn) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", f.addr)
	if err != nil {
		panic(err)
	}
	return a
}

func (f *fakeConn) Close() error { f.closed = true; return nil }

func TestHTTPConns(t *testing.T) {
	for _, row := range []struct {
		name  string
		addr  func(i int) string
		bears int // of 20, where 10 may be open and 4 of one address
	}{
		{"one address", func(i int) string { return fmt.Sprintf("192.0.2.1:%d", 1000+i) }, 4},
		{"one in IPv6", func(i int) string { return fmt.Sprintf("[::ffff:192.0.2.1]:%d", 1000+i) }, 4},
		{"one network of IPv6", func(i int) string { return fmt.Sprintf("[2001:db8::%x]:80", i+1) }, 4},
		{"many", func(i int) string { return fmt.Sprintf("192.0.2.%d:80", i) }, 10},
		{"many networks", func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::1]:80", i) }, 10},
		{"a proxy here", func(i int) string { return fmt.Sprintf("127.0.0.1:%d", 1000+i) }, 10},
		{"a proxy that is trusted", func(i int) string { return fmt.Sprintf("203.0.113.7:%d", 1000+i) }, 10},
		{"a proxy nearby", func(i int) string { return fmt.Sprintf("10.0.0.1:%d", 1000+i) }, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := NewHTTPConns(10, 4, Proxies{netip.MustParsePrefix("203.0.113.7/32")})
			var conns []*fakeConn
			borne := 0
			for i := range 20 {
				conn := &fakeConn{addr: row.addr(i)}
				c.ConnState(conn, http.StateNew)
				if !conn.closed {
					borne++
				}
				conns = append(conns, conn)
			}
			refused := c.Refused()
			if borne != row.bears || refused["total"]+refused["address"] != uint64(20-borne) {
				t.Errorf("%d were borne, refused %v", borne, refused)
			}
			for _, conn := range conns {
				c.ConnState(conn, http.StateActive)
				c.ConnState(conn, http.StateClosed)
			}
			if len(c.open) != 0 || len(c.unused) != 0 {
				t.Errorf("%d are left", len(c.open))
			}
			again := &fakeConn{addr: row.addr(0)}
			if c.ConnState(again, http.StateNew); again.closed {
				t.Error("nobody may in any more")
			}
		})
	}
}
