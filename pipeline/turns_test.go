package pipeline

import (
	"context"
	"errors"
	"testing"
)

func (t *Turns) queue() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

// waitQueue spins until n wait: the only way to know that a goroutine is inside Take.
func waitQueue(t *testing.T, turns *Turns, n int) {
	t.Helper()
	for turns.queue() != n {
		if t.Context().Err() != nil {
			t.Fatal("nobody queued")
		}
	}
}

func TestTurnsServeInOrder(t *testing.T) {
	turns := NewTurns(1)
	ctx := t.Context()
	if err := turns.Take(ctx); err != nil {
		t.Fatal(err)
	}
	served := make(chan int, 3)
	for i := range 3 {
		go func() {
			if err := turns.Take(ctx); err != nil {
				t.Error(err)
			}
			served <- i
			turns.Give()
		}()
		waitQueue(t, turns, i+1)
	}
	turns.Give()
	for want := range 3 {
		if got := <-served; got != want {
			t.Fatalf("served %d, want %d", got, want)
		}
	}
}

func TestTurnsCancelledWaiterLosesNothing(t *testing.T) {
	turns := NewTurns(1)
	if err := turns.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- turns.Take(ctx) }()
	waitQueue(t, turns, 1)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	turns.Give()
	if err := turns.Take(t.Context()); err != nil { // the turn is still there
		t.Fatal(err)
	}
	if turns.queue() != 0 || turns.free != 0 {
		t.Fatalf("queue %d, free %d", turns.queue(), turns.free)
	}
}

// Whatever the race between being served and giving up, no turn is lost or doubled.
func TestTurnsCancelRace(t *testing.T) {
	turns := NewTurns(2)
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%3 == 0 {
					go cancel()
				}
				if turns.Take(ctx) == nil {
					turns.Give()
				}
				cancel()
			}
		}()
	}
	for range 8 {
		<-done
	}
	if turns.free != 2 || len(turns.waiting) != 0 {
		t.Fatalf("free %d, waiting %d; want 2, 0", turns.free, len(turns.waiting))
	}
}
