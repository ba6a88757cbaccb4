package schedule

import (
	"context"
	"errors"
	"testing"
	"time"
)

func (s *Scheduler) queue() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

// waitQueue spins until n wait: the only way to know that a goroutine is inside Take.
func waitQueue(t *testing.T, s *Scheduler, n int) {
	t.Helper()
	for s.queue() != n {
		if t.Context().Err() != nil {
			t.Fatal("nobody queued")
		}
	}
}

// hold takes a turn for somebody else, so that those who come wait.
func hold(t *testing.T, s *Scheduler) *Seat {
	t.Helper()
	seat := s.Join()
	if err := seat.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	return seat
}

// line has seats wait in this order and gives the order in which they are served.
func line(t *testing.T, s *Scheduler, seats []*Seat) []int {
	t.Helper()
	first := hold(t, s)
	served := make(chan int, len(seats))
	for i, seat := range seats {
		go func() {
			if err := seat.Take(t.Context()); err != nil {
				t.Error(err)
			}
			served <- i
			seat.Give()
		}()
		waitQueue(t, s, i+1)
	}
	first.Give()
	var order []int
	for range seats {
		order = append(order, <-served)
	}
	return order
}

func TestSeatsAreServedInTheOrderTheyCome(t *testing.T) {
	s := New(1, Batching{})
	order := line(t, s, []*Seat{s.Join(), s.Join(), s.Join()})
	for i, got := range order {
		if got != i {
			t.Fatalf("served in the order %v", order)
		}
	}
}

// Who has had more of the machine waits for those that had less; what somebody left unused is not saved up.
func TestTheLeastServedGoesFirst(t *testing.T) {
	s := New(1, Batching{})
	crowd, alone, late := s.Join(), s.Join(), s.Join()
	crowd.served, alone.served = 400*time.Millisecond, 100*time.Millisecond
	s.service = 100 * time.Millisecond
	if order := line(t, s, []*Seat{crowd, alone, late}); order[2] != 0 || order[0] != 1 {
		t.Errorf("served in the order %v; want the crowd last, and of the others who came first", order)
	}
	if late.served < 100*time.Millisecond {
		t.Errorf("a seat that is new has had %v, want as much as the others by then", late.served)
	}
}

// While a turn is waited for there are moments for something else; with the turn they are over.
func TestTakeWhile(t *testing.T) {
	s := New(1, Batching{})
	holder, seat := hold(t, s), s.Join()
	moments := 0
	if err := seat.TakeWhile(t.Context(), time.Millisecond, func() {
		if moments++; moments == 3 {
			holder.Give()
		}
	}); err != nil || moments != 3 {
		t.Fatalf("%d moments, %v; want the turn after the third", moments, err)
	}
	if seat.Waited() < 3*time.Millisecond {
		t.Errorf("it has waited for %v", seat.Waited())
	}
	seat.Give()

	holder = hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	if err := seat.TakeWhile(ctx, time.Millisecond, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled meanwhile: %v", err)
	}
	holder.Give()
	if s.queue() != 0 || s.free != 1 {
		t.Errorf("queue %d, free %d", s.queue(), s.free)
	}
	if err := seat.TakeWhile(t.Context(), time.Nanosecond, func() { t.Error("there was no wait") }); err != nil {
		t.Error(err)
	}
	seat.Give()
}

func TestBatchesGoBeforeSeats(t *testing.T) {
	s := New(1, Batching{})
	holder := hold(t, s)
	served := make(chan string, 2)
	seat := s.Join()
	go func() {
		if err := seat.Take(t.Context()); err != nil {
			t.Error(err)
		}
		served <- "seat"
		seat.Give()
	}()
	waitQueue(t, s, 1)
	go func() {
		batch := &waiter{ready: make(chan struct{}, 1)}
		if err := s.take(t.Context(), batch); err != nil {
			t.Error(err)
		}
		served <- "batch"
		s.give()
	}()
	waitQueue(t, s, 2)
	holder.Give()
	if first := <-served; first != "batch" {
		t.Errorf("%s came first", first)
	}
	<-served
}

func TestCancelledWaiterLosesNothing(t *testing.T) {
	s := New(1, Batching{})
	holder := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- s.Join().Take(ctx) }()
	waitQueue(t, s, 1)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	holder.Give()
	hold(t, s) // the turn is still there
	if s.queue() != 0 || s.free != 0 {
		t.Fatalf("queue %d, free %d", s.queue(), s.free)
	}
}

// Whatever the race between being served and giving up, no turn is lost or doubled.
func TestCancelRace(t *testing.T) {
	s := New(2, Batching{})
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			seat := s.Join()
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%3 == 0 {
					go cancel()
				}
				if seat.Take(ctx) == nil {
					seat.Give()
				}
				cancel()
			}
		}()
	}
	for range 8 {
		<-done
	}
	if s.free != 2 || len(s.waiting) != 0 {
		t.Fatalf("free %d, waiting %d; want 2, 0", s.free, len(s.waiting))
	}
}

// Nothing of a stream that had its turn is held on to.
func TestSchedulerForgets(t *testing.T) {
	s := New(1, Batching{})
	first, second := s.Join(), s.Join()
	if err := first.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken := make(chan error, 1)
	go func() { taken <- second.Take(t.Context()) }()
	first.Give()
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	second.Give()
	for i, w := range s.waiting[:cap(s.waiting)] {
		if w != nil {
			t.Errorf("the queue's place %d still holds somebody", i)
		}
	}
}
