package schedule

import (
	"context"
	"errors"
	"testing"
)

// A caller who waits for its turn leaves when its context ends, and Close waits for a running call.
func TestPoolWaits(t *testing.T) {
	destroyed := 0
	p := NewPool(1, func() *int { return new(int) }, func(*int) error { destroyed++; return nil })
	lent, err := p.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	refused := make(chan error)
	go func() {
		_, err := p.Take(ctx)
		refused <- err
	}()
	cancel()
	if err := <-refused; !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting caller got %v", err)
	}
	closed := make(chan error)
	go func() { closed <- p.Close(func() error { return nil }) }()
	<-p.closed
	if _, err := p.Take(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("while closing: %v", err)
	}
	select {
	case <-closed:
		t.Error("closed while something was lent")
	default:
	}
	p.Give(lent)
	if err := <-closed; err != nil || destroyed != 1 {
		t.Errorf("close: %v, %d destroyed", err, destroyed)
	}
}
