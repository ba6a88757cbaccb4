package schedule

import (
	"context"
	"errors"
	"testing"
)

// A caller that waits leaves when its context ends, and Close waits for an item in use.
func TestPoolWaits(t *testing.T) {
	destroyed := 0
	p := NewPool(1, func() *int { return new(int) }, func(*int) error { destroyed++; return nil })
	item, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	refused := make(chan error)
	go func() {
		_, err := p.Acquire(ctx)
		refused <- err
	}()
	cancel()
	if err := <-refused; !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting caller got %v", err)
	}
	closed := make(chan error)
	go func() { closed <- p.Close(func() error { return nil }) }()
	<-p.closed
	if _, err := p.Acquire(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("while closing: %v", err)
	}
	select {
	case <-closed:
		t.Error("closed while an item was in use")
	default:
	}
	p.Release(item)
	if err := <-closed; err != nil || destroyed != 1 {
		t.Errorf("close: %v, %d destroyed", err, destroyed)
	}
}
