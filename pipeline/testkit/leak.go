package testkit

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is long: goleak alone waits for less than half a second, and a busy machine may need longer to end a
// goroutine.
const patience = time.Minute

// NoLeaks fails the test when goroutines stay that are not of before.
func NoLeaks(t testing.TB, before goleak.Option) {
	t.Helper()
	if err := wait(before); err != nil {
		t.Error(err)
	}
}

// Main runs a package's tests, and fails when a goroutine stays.
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

// MainLive runs a package's tests, and fails when objects stay open in C. counts are the numbers of open objects, by
// what the objects are.
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
