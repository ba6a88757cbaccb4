package schedule

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Scheduler shares the machine among streams. At most a fixed number of them work at a time. Of those that wait, the
// one that has used the least of the machine goes first (start-time fair queueing). A stream acquires its slot for each
// frame, and its crops are classified in batches with those of other streams. So under overload the frame rate of every
// stream falls alike, a stream with many faces does not starve another, and no delay grows.
type Scheduler struct {
	// static after construction
	batch    Batching
	inFlight chan struct{} // holds one value for each batch on a device; nil where batches acquire slots

	mu   sync.Mutex
	free int // guarded by mu: how many more may work
	// guarded by mu, in order of arrival; at most one for each slot and for each batch's leader
	waiting []*waiter
	service time.Duration       // guarded by mu: what the slot that was granted last had used by then
	batches map[string]*batcher // guarded by mu; by model
}

// Batching configures how crops of several streams are classified together.
type Batching struct {
	MaxCrops int           // largest batch; zero means DefaultBatch
	Wait     time.Duration // how long a batch waits to fill; with zero it waits only while it cannot run

	// InFlight is the number of batches that may be in flight on a device beside the processors, such as a GPU: over
	// one, so that one is sent there while the device computes another. With zero, batches run on the processors, and
	// acquire the scheduler's capacity like all other work.
	InFlight int

	// OnBatch is called after each batch with its number of crops, the time it took and its error. Several goroutines
	// call it, and wait for it. Optional.
	OnBatch func(crops int, took time.Duration, err error)
}

// DefaultBatch is the default of Batching.MaxCrops. On a processor, larger batches gain nothing and add delay.
const DefaultBatch = 8

// waiter is an entry of the scheduler's queue.
type waiter struct {
	slot  *Slot // nil for a batch, which goes before all slots: a frame has already waited
	ready chan struct{}
}

// Slot is one stream's access to the machine. It is held from Acquire to Release. One goroutine owns it.
type Slot struct {
	s      *Scheduler
	timer  *time.Timer // of AcquireWhile; stopped otherwise
	wait   waiter
	began  time.Time     // when the slot was acquired
	waited time.Duration // before that
	served time.Duration // guarded by s.mu: what the stream has used of the machine
}

// New returns a scheduler that lets n slots be held at a time.
func New(n int, batch Batching) *Scheduler {
	if batch.MaxCrops == 0 {
		batch.MaxCrops = DefaultBatch
	}
	s := &Scheduler{batch: batch, free: n, batches: map[string]*batcher{}}
	if batch.InFlight > 0 {
		s.inFlight = make(chan struct{}, batch.InFlight)
	}
	return s
}

// NewSlot returns a slot for a new stream. It is not held yet.
func (s *Scheduler) NewSlot() *Slot {
	slot := &Slot{s: s, timer: time.NewTimer(time.Hour)}
	slot.timer.Stop()
	slot.wait = waiter{slot, make(chan struct{}, 1)}
	return slot
}

// Acquire waits until the stream may work. It fails only with ctx's error; then the slot is not held.
func (slot *Slot) Acquire(ctx context.Context) error { return slot.AcquireWhile(ctx, 0, nil) }

// AcquireWhile is Acquire that calls meanwhile at each interval of the wait. meanwhile should be brief: a slot that is
// granted while it runs is idle until it returns.
func (slot *Slot) AcquireWhile(ctx context.Context, interval time.Duration, meanwhile func()) error {
	s := slot.s
	s.mu.Lock()
	slot.served = max(slot.served, s.service) // a stream cannot save up what it left unused
	s.mu.Unlock()
	asked := time.Now()
	if interval > 0 {
		slot.timer.Reset(interval)
		defer slot.timer.Stop()
	}
	if err := s.enqueue(ctx, &slot.wait); err != nil {
		return err
	}
	for waits := true; waits; {
		select {
		case <-slot.wait.ready:
			waits = false
		case <-slot.timer.C:
			if len(slot.wait.ready) > 0 {
				continue
			}
			meanwhile()
			slot.timer.Reset(interval)
		case <-ctx.Done():
			s.cancel(&slot.wait)
			return ctx.Err()
		}
	}
	slot.began = time.Now()
	slot.waited = slot.began.Sub(asked)
	return nil
}

// Waited returns how long the latest Acquire waited, which tells how loaded the machine is.
func (slot *Slot) Waited() time.Duration { return slot.waited }

// Release ends what Acquire began.
func (slot *Slot) Release() {
	slot.charge(time.Since(slot.began))
	slot.s.release()
}

// charge adds d to what the stream has used.
func (slot *Slot) charge(d time.Duration) {
	slot.s.mu.Lock()
	defer slot.s.mu.Unlock()
	slot.served += d
}

// enqueue adds w to the queue. w.ready is signalled once w may work.
func (s *Scheduler) enqueue(ctx context.Context, w *waiter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, w)
	s.dispatch()
	return nil
}

// acquire waits until w may work.
func (s *Scheduler) acquire(ctx context.Context, w *waiter) error {
	if err := s.enqueue(ctx, w); err != nil {
		return err
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		s.cancel(w)
		return ctx.Err()
	}
}

// cancel takes w off the queue, or releases what it was granted at the same moment.
func (s *Scheduler) cancel(w *waiter) {
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
	s.release()
}

func (s *Scheduler) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.dispatch()
}

// dispatch lets as many waiters work as there is room for. mu is held.
func (s *Scheduler) dispatch() {
	for s.free > 0 && len(s.waiting) > 0 {
		next := s.next()
		w := s.waiting[next]
		s.remove(next)
		s.free--
		if w.slot != nil {
			s.service = max(s.service, w.slot.served)
		}
		w.ready <- struct{}{}
	}
}

// next returns the index of the waiter that goes first: a batch, else the slot that was served least, else the first
// to arrive. mu is held.
func (s *Scheduler) next() int {
	best := 0
	for i, w := range s.waiting {
		if w.slot == nil {
			return i
		}
		if w.slot.served < s.waiting[best].slot.served {
			best = i
		}
	}
	return best
}

// acquireBatch waits until a batch may run: on the device or, without one, on a processor. It fails only with ctx's
// error; then releaseBatch must not be called.
func (s *Scheduler) acquireBatch(ctx context.Context, w *waiter) error {
	if s.inFlight == nil {
		return s.acquire(ctx, w)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.inFlight <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Scheduler) releaseBatch() {
	if s.inFlight == nil {
		s.release()
		return
	}
	<-s.inFlight
}

// remove leaves no pointer behind the end of the queue, which would keep the crops of a stream that has ended.
func (s *Scheduler) remove(i int) { s.waiting = slices.Delete(s.waiting, i, i+1) }
