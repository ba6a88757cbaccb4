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

// waitQueue spins until n wait: the only way to know that a goroutine is inside Acquire.
func waitQueue(t *testing.T, s *Scheduler, n int) {
	t.Helper()
	for s.queue() != n {
		if t.Context().Err() != nil {
			t.Fatal("the queue is not that long")
		}
	}
}

// hold acquires a slot of another stream, so that those that follow wait.
func hold(t *testing.T, s *Scheduler) *Slot {
	t.Helper()
	slot := s.NewSlot()
	if err := slot.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	return slot
}

// order has the slots wait in this order and returns the order in which they are granted.
func order(t *testing.T, s *Scheduler, slots []*Slot) []int {
	t.Helper()
	first := hold(t, s)
	granted := make(chan int, len(slots))
	for i, slot := range slots {
		go func() {
			if err := slot.Acquire(t.Context()); err != nil {
				t.Error(err)
			}
			granted <- i
			slot.Release()
		}()
		waitQueue(t, s, i+1)
	}
	first.Release()
	var got []int
	for range slots {
		got = append(got, <-granted)
	}
	return got
}

func TestSlotsAreGrantedInOrderOfArrival(t *testing.T) {
	s := New(1, Batching{})
	got := order(t, s, []*Slot{s.NewSlot(), s.NewSlot(), s.NewSlot()})
	for i := range got {
		if got[i] != i {
			t.Fatalf("granted in the order %v", got)
		}
	}
}

// A stream that used more of the machine waits for those that used less; what a stream left unused is not saved up.
func TestTheLeastServedGoesFirst(t *testing.T) {
	s := New(1, Batching{})
	crowd, alone, late := s.NewSlot(), s.NewSlot(), s.NewSlot()
	crowd.served, alone.served = 400*time.Millisecond, 100*time.Millisecond
	s.service = 100 * time.Millisecond
	if got := order(t, s, []*Slot{crowd, alone, late}); got[2] != 0 || got[0] != 1 {
		t.Errorf("granted in the order %v; want the crowd last, and the others in order of arrival", got)
	}
	if late.served < 100*time.Millisecond {
		t.Errorf("a new slot starts at %v, want as much as the others by then", late.served)
	}
}

// meanwhile is called while the slot is waited for, and not once it is held.
func TestAcquireWhile(t *testing.T) {
	s := New(1, Batching{})
	holder, slot := hold(t, s), s.NewSlot()
	calls := 0
	if err := slot.AcquireWhile(t.Context(), time.Millisecond, func() {
		if calls++; calls == 3 {
			holder.Release()
		}
	}); err != nil || calls != 3 {
		t.Fatalf("%d calls, %v; want the slot after the third", calls, err)
	}
	if slot.Waited() < 3*time.Millisecond {
		t.Errorf("waited for %v", slot.Waited())
	}
	slot.Release()

	holder = hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	if err := slot.AcquireWhile(ctx, time.Millisecond, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled meanwhile: %v", err)
	}
	holder.Release()
	if s.queue() != 0 || s.free != 1 {
		t.Errorf("queue %d, free %d", s.queue(), s.free)
	}
	if err := slot.AcquireWhile(t.Context(), time.Nanosecond, func() { t.Error("there was no wait") }); err != nil {
		t.Error(err)
	}
	slot.Release()
}

func TestBatchesGoBeforeSlots(t *testing.T) {
	s := New(1, Batching{})
	holder := hold(t, s)
	granted := make(chan string, 2)
	slot := s.NewSlot()
	go func() {
		if err := slot.Acquire(t.Context()); err != nil {
			t.Error(err)
		}
		granted <- "slot"
		slot.Release()
	}()
	waitQueue(t, s, 1)
	go func() {
		batch := &waiter{ready: make(chan struct{}, 1)}
		if err := s.acquire(t.Context(), batch); err != nil {
			t.Error(err)
		}
		granted <- "batch"
		s.release()
	}()
	waitQueue(t, s, 2)
	holder.Release()
	if first := <-granted; first != "batch" {
		t.Errorf("%s came first", first)
	}
	<-granted
}

func TestCancelledWaiterLosesNothing(t *testing.T) {
	s := New(1, Batching{})
	holder := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- s.NewSlot().Acquire(ctx) }()
	waitQueue(t, s, 1)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	holder.Release()
	hold(t, s) // the slot is still free
	if s.queue() != 0 || s.free != 0 {
		t.Fatalf("queue %d, free %d", s.queue(), s.free)
	}
}

// Whatever the race between being granted and giving up, no slot is lost or granted twice.
func TestCancelRace(t *testing.T) {
	s := New(2, Batching{})
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			slot := s.NewSlot()
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%3 == 0 {
					go cancel()
				}
				if slot.Acquire(ctx) == nil {
					slot.Release()
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

// The queue keeps no reference to a stream that has left it.
func TestSchedulerForgets(t *testing.T) {
	s := New(1, Batching{})
	first, second := s.NewSlot(), s.NewSlot()
	if err := first.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken := make(chan error, 1)
	go func() { taken <- second.Acquire(t.Context()) }()
	first.Release()
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	second.Release()
	for i, w := range s.waiting[:cap(s.waiting)] {
		if w != nil {
			t.Errorf("entry %d of the queue still refers to a waiter", i)
		}
	}
}
