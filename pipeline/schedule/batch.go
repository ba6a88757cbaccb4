package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mindflow/pipeline"
)

// Classifier gives c to the stream, the classifier of the model of that name: its crops are classified in batches
// with those of other seats with the same model. Call it outside of a turn, by one goroutine. The stream is charged
// its share of each batch.
func (seat *Seat) Classifier(model string, c pipeline.Classifier) pipeline.Classifier {
	s := seat.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.batches[model]
	if b == nil { // there are as many as models, which are loaded once for all
		b = &batcher{s: s, next: c, full: make(chan struct{}, 1)}
		s.batches[model] = b
	}
	r := &request{b: b, seat: seat, wake: make(chan struct{}, 1)}
	r.turn.ready = make(chan struct{}, 1)
	return r
}

// batcher gathers the crops of one classifier. There is no goroutine of its own: one of those who wait leads.
// The leader waits for a turn, or for a slot of the device, takes what has gathered meanwhile, and runs it; who comes after that
// is led by the next. So a batch is as large as the machine is busy, and on an idle one nobody waits.
type batcher struct {
	// static after construction
	s    *Scheduler
	next pipeline.Classifier
	full chan struct{} // told that a batch's worth of crops waits

	mu    sync.Mutex
	queue []*request // guarded by mu: those with crops that are in no batch yet, in the order they came
	led   bool       // guarded by mu: somebody waits for a turn, or for the batch to fill
}

// request is what one seat wants classified: its crops are done in one batch or in several. It implements
// Classifier, and its memory is used again from call to call.
type request struct {
	// static after construction
	b    *batcher
	seat *Seat
	turn waiter
	wake chan struct{} // told to look again: something came back, or a leader is wanted

	batch batch // owned by the caller while it leads

	// guarded by b.mu
	crops  []pipeline.Crop
	scores []pipeline.Scores // one a crop
	taken  int               // crops that went into a batch
	out    int               // of those, the ones that are not back
	err    error             // of a batch
	shared bool              // that batch had others' crops too
}

// batch is what runs at once.
type batch struct {
	crops  []pipeline.Crop
	places []place // where the scores go
	scores []pipeline.Scores
}

type place struct {
	to *request
	at int
}

var errPanicked = errors.New("the classifier panicked")

func (r *request) Classify(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	start := len(dst)
	dst = slices.Grow(dst, len(crops))[:start+len(crops)] // with the memory of what stood there
	err := r.together(ctx, dst[start:], crops)
	if err != nil && ctx.Err() == nil && r.shared {
		return r.alone(ctx, dst[:start], crops)
	}
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// together has the crops classified in batches with others.
func (r *request) together(ctx context.Context, scores []pipeline.Scores, crops []pipeline.Crop) error {
	r.enter(crops, scores)
	defer r.leave()
	for {
		done, lead, err := r.look()
		if done {
			return err
		}
		if lead {
			if err := r.lead(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// alone tries what failed in a batch with others again: whose crop it was that cannot be classified, the others
// shall not suffer for it.
func (r *request) alone(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores, error) {
	if err := r.b.s.takeBatch(ctx, &r.turn); err != nil {
		return dst, err
	}
	defer r.b.s.giveBatch()
	return r.b.next.Classify(ctx, dst, crops)
}

func (r *request) enter(crops []pipeline.Crop, scores []pipeline.Scores) {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.crops, r.scores, r.taken, r.out, r.err, r.shared = crops, scores, 0, 0, nil, false
	if len(crops) > 0 {
		r.b.queue = append(r.b.queue, r)
	}
	if r.b.waiting() >= r.b.s.batch.Most {
		signal(r.b.full)
	}
}

// look says whether all is done, or whether the caller has to lead the next batch.
func (r *request) look() (done, lead bool, err error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.out == 0 && (r.taken == len(r.crops) || r.err != nil) {
		return true, false, r.err
	}
	if !b.led && r.taken < len(r.crops) {
		b.led = true
		return false, true, nil
	}
	return false, false, nil
}

// leave ends a call: what is not begun is not done, what is under way is waited for, since it writes to the
// caller's memory.
func (r *request) leave() {
	b := r.b
	b.mu.Lock()
	b.drop(r)
	for r.out > 0 {
		b.mu.Unlock()
		<-r.wake
		b.mu.Lock()
	}
	b.mu.Unlock()
}

// lead waits for a turn or a slot, runs one batch in it, and gives the lead away as soon as the batch is chosen.
func (r *request) lead(ctx context.Context) error {
	b := r.b
	b.fill(ctx)
	if err := b.s.takeBatch(ctx, &r.turn); err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.passLead(r)
		return err
	}
	defer b.s.giveBatch()
	b.mu.Lock()
	b.choose(&r.batch)
	b.passLead(r)
	b.mu.Unlock()
	b.run(&r.batch)
	return nil
}

// fill waits for more crops, where that is wanted.
func (b *batcher) fill(ctx context.Context) {
	if b.s.batch.Wait == 0 {
		return
	}
	b.mu.Lock()
	enough := b.waiting() >= b.s.batch.Most
	b.mu.Unlock()
	if enough {
		return
	}
	timer := time.NewTimer(b.s.batch.Wait)
	defer timer.Stop()
	select {
	case <-b.full:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// waiting counts the crops that are in no batch. mu is held.
func (b *batcher) waiting() (n int) {
	for _, r := range b.queue {
		n += len(r.crops) - r.taken
	}
	return n
}

// choose takes crops for a batch, one of each request in turn, so that a stream with many faces does not fill
// it before the others had theirs. mu is held.
func (b *batcher) choose(to *batch) {
	to.crops, to.places = to.crops[:0], to.places[:0]
	for len(b.queue) > 0 && len(to.crops) < b.s.batch.Most {
		for _, r := range b.queue {
			if len(to.crops) == b.s.batch.Most {
				break
			}
			to.crops = append(to.crops, r.crops[r.taken])
			to.places = append(to.places, place{r, r.taken})
			r.taken++
			r.out++
		}
		b.queue = slices.DeleteFunc(b.queue, func(r *request) bool { return r.taken == len(r.crops) })
	}
}

// run classifies a batch and hands the scores out, or the error. The others' crops do not depend on the
// leader's ctx.
func (b *batcher) run(batch *batch) {
	if len(batch.crops) == 0 {
		return
	}
	began, err := time.Now(), errPanicked // unless Classify returns
	defer func() {
		took := time.Since(began)
		b.handOut(batch, took/time.Duration(len(batch.crops)), err)
		if b.s.batch.Ran != nil {
			b.s.batch.Ran(len(batch.crops), took, err)
		}
	}()
	batch.scores, err = b.next.Classify(context.Background(), batch.scores[:0], batch.crops)
	if err == nil && len(batch.scores) != len(batch.crops) {
		err = fmt.Errorf("the classifier gave %d scores for %d crops", len(batch.scores), len(batch.crops))
	}
}

func (b *batcher) handOut(batch *batch, each time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	shared := slices.ContainsFunc(batch.places, func(p place) bool { return p.to != batch.places[0].to })
	for i, p := range batch.places {
		if err == nil {
			p.to.scores[p.at].CopyFrom(&batch.scores[i])
		} else {
			p.to.err, p.to.shared = err, p.to.shared || shared
		}
		p.to.out--
		p.to.seat.charge(each)
		if p.to.out == 0 {
			signal(p.to.wake)
		}
	}
}

// passLead lets another who waits lead. mu is held.
func (b *batcher) passLead(from *request) {
	b.led = false
	for _, r := range b.queue {
		if r != from {
			signal(r.wake)
			return
		}
	}
}

// drop takes r off the queue and, where it was told to lead, tells another. mu is held.
func (b *batcher) drop(r *request) {
	b.queue = slices.DeleteFunc(b.queue, func(o *request) bool { return o == r })
	if !b.led && len(b.queue) > 0 {
		signal(b.queue[0].wake)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // told already
	}
}
