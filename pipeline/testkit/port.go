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

var issuedPorts sync.Map // of this process

// FreePort is a port that was free just now on loopback, and that nobody is issuedPorts who asks for any: those are
// from 32768 on (ip_local_port_range), and one that is free may be another test's before a server that loads models
// has it. No port is issuedPorts twice.
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
