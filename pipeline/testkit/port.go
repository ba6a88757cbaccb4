package testkit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
)

// issuedPorts holds the ports that this process has handed out.
var issuedPorts sync.Map

// FreePort returns a port that was free just now on loopback. It lies below 32768, where the kernel's own choices begin
// (ip_local_port_range): a port from there may go to another test before a server that loads models binds it. No port
// is returned twice.
func FreePort(t testing.TB) int {
	t.Helper()
	for {
		port := 20000 + rand.IntN(12000)
		if _, before := issuedPorts.LoadOrStore(port, true); before {
			continue
		}
		probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = probe.Close()
		return port
	}
}
