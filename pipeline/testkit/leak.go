package testkit

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end. goleak alone waits for less than half a second, which is too short
// on a busy machine.
const patience = time.Minute

// NoLeaks fails the test where goroutines are left that are not in before.
func NoLeaks(t testing.TB, before goleak.Option) {
	t.Helper()
	if err := wait(before); err != nil {
		t.Error(err)
	}
}

// Main runs a package's tests, and fails where a goroutine is left.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := wait(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// MainLive runs a package's tests, and fails where C objects are left open. counts returns the numbers of open
// objects, by kind.
func MainLive(m *testing.M, counts map[string]func() int64) {
	code := m.Run()
	for what, count := range counts {
		if n := count(); code == 0 && n != 0 {
			fmt.Fprintf(os.Stderr, "%d %s were not closed, or closed twice\n", n, what)
			code = 1
		}
	}
	os.Exit(code)
}

func wait(options ...goleak.Option) error {
	for deadline := time.Now().Add(patience); ; {
		if err := goleak.Find(options...); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
