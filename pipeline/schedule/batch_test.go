package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"mindflow/pipeline"
)

// echo answers each crop with its first value, and records which crops came together.
type echo struct {
	mu      sync.Mutex
	batches [][]float32 // guarded by mu

	gate  chan struct{} // lets a batch through; nil lets all
	bad   float32       // a crop that fails its batch; zero means none
	panic bool
}

func (e *echo) Classify(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	if e.gate != nil {
		<-e.gate
	}
	var values []float32
	for _, c := range crops {
		values = append(values, c.Values[0])
	}
	e.mu.Lock()
	e.batches = append(e.batches, values)
	e.mu.Unlock()
	if e.panic {
		panic("broken")
	}
	for _, v := range values {
		if e.bad != 0 && v == e.bad {
			return dst, fmt.Errorf("crop %g cannot be classified", v)
		}
		dst = append(dst, pipeline.Scores{Logits: []float32{v, -v}})
	}
	return dst, ctx.Err()
}

func (e *echo) seen() [][]float32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.batches)
}

// ask has crops of these values classified and checks that the scores are theirs, in order.
func ask(ctx context.Context, c pipeline.Classifier, values ...float32) error {
	crops := make([]pipeline.Crop, len(values))
	for i, v := range values {
		crops[i] = pipeline.Crop{Values: []float32{v}}
	}
	got, err := c.Classify(ctx, []pipeline.Scores{{Logits: []float32{42}}}, crops)
	if err != nil {
		return err
	}
	if len(got) != 1+len(values) || got[0].Logits[0] != 42 {
		return fmt.Errorf("%d scores for %d crops behind one that was there", len(got), len(values))
	}
	for i, v := range values {
		if got[1+i].Logits[0] != v {
			return fmt.Errorf("crop %g got the scores of %g", v, got[1+i].Logits[0])
		}
	}
	return nil
}

// gather has each of these ask while the machine is busy, in this order, and then releases them.
func gather(t *testing.T, s *Scheduler, c pipeline.Classifier, wants ...[]float32) []error {
	t.Helper()
	holder := hold(t, s)
	errs := make([]error, len(wants))
	var work sync.WaitGroup
	sum := 0
	for i, values := range wants {
		sum += len(values)
		slot := s.NewSlot()
		mine := slot.Classifier("echo", c)
		work.Add(1)
		go func() {
			defer work.Done()
			errs[i] = ask(t.Context(), mine, values...)
		}()
		waitCrops(t, s.batches["echo"], sum)
	}
	holder.Release()
	work.Wait()
	return errs
}

func waitCrops(t *testing.T, b *batcher, n int) {
	t.Helper()
	for {
		b.mu.Lock()
		waiting := b.waiting()
		b.mu.Unlock()
		if waiting == n {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("the crops did not come")
		}
	}
}

// Crops that gather while the machine is busy form one batch.
func TestStreamsShareBatches(t *testing.T) {
	s, c := New(1, Batching{MaxCrops: 8}), &echo{}
	for _, err := range gather(t, s, c, []float32{1}, []float32{2, 3}, []float32{4}) {
		if err != nil {
			t.Error(err)
		}
	}
	if got := c.seen(); len(got) != 1 || len(got[0]) != 4 {
		t.Errorf("the batches were %v, want one of all", got)
	}
}

// A stream with many faces leaves room in the batch for the others.
func TestCrowdLeavesRoomInTheBatch(t *testing.T) {
	s, c := New(1, Batching{MaxCrops: 4}), &echo{}
	crowd := []float32{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	for _, err := range gather(t, s, c, crowd, []float32{1}, []float32{2}) {
		if err != nil {
			t.Error(err)
		}
	}
	got := c.seen()
	if len(got) != 3 || !slices.Equal(got[0], []float32{10, 1, 2, 11}) {
		t.Errorf("the batches were %v, want the small ones in the first", got)
	}
}

func TestStreamsAreChargedForTheirCrops(t *testing.T) {
	s := New(1, Batching{MaxCrops: 8})
	c := &echo{gate: make(chan struct{})}
	crowd, one := s.NewSlot(), s.NewSlot()
	holder := hold(t, s)
	var work sync.WaitGroup
	sum := 0
	for slot, values := range map[*Slot][]float32{crowd: {1, 2, 3, 4, 5, 6}, one: {7}} {
		mine := slot.Classifier("echo", c)
		sum += len(values)
		work.Add(1)
		go func() {
			defer work.Done()
			if err := ask(t.Context(), mine, values...); err != nil {
				t.Error(err)
			}
		}()
		waitCrops(t, s.batches["echo"], sum)
	}
	holder.Release()
	c.gate <- struct{}{}
	work.Wait()
	if crowd.served != 6*one.served || one.served == 0 {
		t.Errorf("six faces were charged %v, one %v", crowd.served, one.served)
	}
}

// A crop that cannot be classified fails its own stream only.
func TestFailureStaysWithItsStream(t *testing.T) {
	s, c := New(1, Batching{MaxCrops: 8}), &echo{bad: 9}
	errs := gather(t, s, c, []float32{1}, []float32{9}, []float32{2, 3})
	if errs[0] != nil || errs[2] != nil {
		t.Errorf("the others failed: %v", errs)
	}
	if errs[1] == nil {
		t.Error("the bad crop was classified")
	}
	if s.free != 1 {
		t.Errorf("%d slots are free, want 1", s.free)
	}
}

// A panic is the leader's; no other request waits for ever, and no slot is lost.
func TestPanicLosesNoSlot(t *testing.T) {
	s, c := New(1, Batching{MaxCrops: 8}), &echo{panic: true}
	mine := s.NewSlot().Classifier("echo", c)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_ = ask(t.Context(), mine, 1)
	}()
	if s.free != 1 || s.batches["echo"].led || len(s.batches["echo"].queue) != 0 {
		t.Errorf("after a panic: free %d, led %v, %d waiting", s.free, s.batches["echo"].led,
			len(s.batches["echo"].queue))
	}
	c.panic = false
	if err := ask(t.Context(), mine, 2); err != nil {
		t.Error(err)
	}
}

func TestLeaderThatGivesUpPassesTheLead(t *testing.T) {
	s, c := New(1, Batching{}), &echo{}
	holder := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := s.NewSlot().Classifier("echo", c), s.NewSlot().Classifier("echo", c)
	gone, done := make(chan error), make(chan error)
	go func() { gone <- ask(ctx, first, 1) }()
	waitQueue(t, s, 1) // it leads
	go func() { done <- ask(t.Context(), second, 2) }()
	waitCrops(t, s.batches["echo"], 2)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	holder.Release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := c.seen(); len(got) != 1 || !slices.Equal(got[0], []float32{2}) {
		t.Errorf("the batches were %v", got)
	}
}

// A full batch does not wait for Batching.Wait.
func TestFullBatchDoesNotWait(t *testing.T) {
	s, c := New(4, Batching{MaxCrops: 2, Wait: time.Hour}), &echo{}
	first, second := s.NewSlot().Classifier("echo", c), s.NewSlot().Classifier("echo", c)
	done := make(chan error)
	go func() { done <- ask(t.Context(), first, 1) }()
	waitCrops(t, s.batches["echo"], 1)
	go func() { done <- ask(t.Context(), second, 2) }()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := c.seen(); len(got) != 1 {
		t.Errorf("the batches were %v, want one of both", got)
	}
}

// Streams that come and go at random get their own scores, and leave nothing behind.
func TestBatchRace(t *testing.T) {
	s, c := New(2, Batching{MaxCrops: 3}), &echo{}
	var work sync.WaitGroup
	for n := range 8 {
		work.Add(1)
		go func() {
			defer work.Done()
			mine := s.NewSlot().Classifier("echo", c)
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if (i+n)%5 == 0 {
					go cancel()
				}
				values := make([]float32, i%4)
				for k := range values {
					values[k] = float32(100*n + k)
				}
				if err := ask(ctx, mine, values...); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		}()
	}
	work.Wait()
	if b := s.batches["echo"]; s.free != 2 || len(s.waiting) != 0 || b.led || len(b.queue) != 0 {
		t.Errorf("left behind: free %d, waiting %d, led %v, queued %d", s.free, len(s.waiting), b.led, len(b.queue))
	}
}

// On a device batches need no slot: as many as Batching.InFlight run while all processors are busy, crops that come
// meanwhile gather for the next batch, and a leader that stops waiting leaves the lead to another.
func TestBatchesOnADevice(t *testing.T) {
	s, c := New(1, Batching{MaxCrops: 8, InFlight: 2}), &echo{gate: make(chan struct{})}
	holder := hold(t, s)
	defer holder.Release()
	var work sync.WaitGroup
	errs := make([]error, 5)
	begin := func(ctx context.Context, i int) {
		mine := s.NewSlot().Classifier("echo", c)
		work.Add(1)
		go func() {
			defer work.Done()
			errs[i] = ask(ctx, mine, float32(i+1))
		}()
	}
	for i := range 2 {
		begin(t.Context(), i)
		for len(s.inFlight) != i+1 && t.Context().Err() == nil {
			runtime.Gosched()
		}
		waitCrops(t, s.batches["echo"], 0)
	}
	ending, end := context.WithCancel(t.Context())
	begin(ending, 2) // leads
	waitCrops(t, s.batches["echo"], 1)
	begin(t.Context(), 3)
	begin(t.Context(), 4)
	waitCrops(t, s.batches["echo"], 3)
	end()
	waitCrops(t, s.batches["echo"], 2)
	close(c.gate)
	work.Wait()
	if !errors.Is(errs[2], context.Canceled) || errors.Join(errs[0], errs[1], errs[3], errs[4]) != nil {
		t.Errorf("%v; want the third stream alone cancelled", errs)
	}
	if got := c.seen(); len(got) != 3 {
		t.Errorf("the batches were %v, want two in flight and one of those that waited", got)
	}
	if n := len(s.inFlight); n != 0 {
		t.Errorf("%d batches are still in flight", n)
	}
}
