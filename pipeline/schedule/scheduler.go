package schedule

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Scheduler shares the machine among streams: at most so many work at a time, and of those that wait the one
// that has had the least of the machine comes first. A stream takes a turn for each frame, and its crops are
// classified in batches with those of others; so when there is too much work, every stream's rate falls alike,
// one that is full of faces does not starve the others, and nobody's delay grows.
type Scheduler struct {
	// static after construction
	batch Batching
	slots chan struct{} // holds one value for each batch that is in flight on a device; nil where batches run in turns

	mu      sync.Mutex
	free    int                 // guarded by mu: turns that nobody holds
	waiting []*waiter           // guarded by mu, in the order they came; at most one a seat, and a batch's leader
	service time.Duration       // guarded by mu: what the seat that was served last had had by then
	batches map[string]*batcher // guarded by mu; by model
}

// Batching says how crops of several streams are classified together.
type Batching struct {
	Most int           // crops of a batch at most
	Wait time.Duration // how long a batch waits to fill; 0 waits only as long as all turns are held by others

	// Slots is the number of batches that may be in flight on a device beside the processors, such as a GPU: over one, so that one is
	// sent there while it computes another. 0 has batches run on the processors, in turns like all other work.
	Slots int

	// Ran hears of each batch: how many crops it had, how long it took and what went wrong. It is called by several
	// goroutines, and those wait for it. None.
	Ran func(crops int, took time.Duration, err error)
}

// DefaultBatch is the largest batch where nothing else is said: on a processor, larger ones gain nothing and
// keep others waiting.
const DefaultBatch = 8

// waiter is somebody who waits for a turn.
type waiter struct {
	seat  *Seat // nil for a batch, which goes before all seats: somebody's frame has waited already
	ready chan struct{}
}

// Seat is one stream's place. It is owned by one goroutine.
type Seat struct {
	s      *Scheduler
	timer  *time.Timer // of TakeWhile; stopped otherwise
	wait   waiter
	began  time.Time     // of the turn that is held
	waited time.Duration // for it
	served time.Duration // guarded by s.mu: what the stream has had of the machine
}

// New lets n work at a time. A zero Most is DefaultBatch.
func New(n int, batch Batching) *Scheduler {
	if batch.Most == 0 {
		batch.Most = DefaultBatch
	}
	s := &Scheduler{batch: batch, free: n, batches: map[string]*batcher{}}
	if batch.Slots > 0 {
		s.slots = make(chan struct{}, batch.Slots)
	}
	return s
}

// Join gives a stream its place.
func (s *Scheduler) Join() *Seat {
	seat := &Seat{s: s, timer: time.NewTimer(time.Hour)}
	seat.timer.Stop()
	seat.wait = waiter{seat, make(chan struct{}, 1)}
	return seat
}

// Take waits for a turn. The error is ctx's; then no turn is held.
func (seat *Seat) Take(ctx context.Context) error { return seat.TakeWhile(ctx, 0, nil) }

// TakeWhile is Take that calls meanwhile each time that it has waited for so long. That should be brief: a turn that comes
// while it runs waits for it.
func (seat *Seat) TakeWhile(ctx context.Context, every time.Duration, meanwhile func()) error {
	s := seat.s
	s.mu.Lock()
	seat.served = max(seat.served, s.service) // what a stream left unused while it wanted nothing is not saved up
	s.mu.Unlock()
	came := time.Now()
	if every > 0 {
		seat.timer.Reset(every)
		defer seat.timer.Stop()
	}
	if err := s.ask(ctx, &seat.wait); err != nil {
		return err
	}
	for waits := true; waits; {
		select {
		case <-seat.wait.ready:
			waits = false
		case <-seat.timer.C:
			if len(seat.wait.ready) > 0 {
				continue
			}
			meanwhile()
			seat.timer.Reset(every)
		case <-ctx.Done():
			s.leave(&seat.wait)
			return ctx.Err()
		}
	}
	seat.began = time.Now()
	seat.waited = seat.began.Sub(came)
	return nil
}

// Waited is how long the latest turn was waited for: how full the machine is.
func (seat *Seat) Waited() time.Duration { return seat.waited }

// Give passes the held turn on.
func (seat *Seat) Give() {
	seat.charge(time.Since(seat.began))
	seat.s.give()
}

// charge counts what the stream has had.
func (seat *Seat) charge(d time.Duration) {
	seat.s.mu.Lock()
	defer seat.s.mu.Unlock()
	seat.served += d
}

// ask has w wait for a turn.
func (s *Scheduler) ask(ctx context.Context, w *waiter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, w)
	s.serve()
	return nil
}

func (s *Scheduler) take(ctx context.Context, w *waiter) error {
	if err := s.ask(ctx, w); err != nil {
		return err
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		s.leave(w)
		return ctx.Err()
	}
}

// leave takes w off the queue, or passes its turn on when it was served at the same moment.
func (s *Scheduler) leave(w *waiter) {
	s.mu.Lock()
	for i := range s.waiting {
		if s.waiting[i] == w {
			s.remove(i)
			s.mu.Unlock()
			return
		}
	}
	s.mu.Unlock()
	<-w.ready
	s.give()
}

func (s *Scheduler) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.serve()
}

// serve hands out the turns that are free. mu is held.
func (s *Scheduler) serve() {
	for s.free > 0 && len(s.waiting) > 0 {
		next := s.next()
		w := s.waiting[next]
		s.remove(next)
		s.free--
		if w.seat != nil {
			s.service = max(s.service, w.seat.served)
		}
		w.ready <- struct{}{}
	}
}

// next finds who is served next: a batch, else the seat that has had the least; of equals who came first.
func (s *Scheduler) next() int {
	best := 0
	for i, w := range s.waiting {
		if w.seat == nil {
			return i
		}
		if w.seat.served < s.waiting[best].seat.served {
			best = i
		}
	}
	return best
}

// takeBatch waits until a batch may run: on the device or, without one, in a turn of w. The error is ctx's; then giveBatch must not
// be called.
func (s *Scheduler) takeBatch(ctx context.Context, w *waiter) error {
	if s.slots == nil {
		return s.take(ctx, w)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Scheduler) giveBatch() {
	if s.slots == nil {
		s.give()
		return
	}
	<-s.slots
}

// remove leaves no pointer behind the end, which would hold what belongs to a stream that has ended: its crops.
func (s *Scheduler) remove(i int) { s.waiting = slices.Delete(s.waiting, i, i+1) }
