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

// Classifier returns a classifier that classifies the stream's crops in batches with those of other slots that use
// the same model. c is the classifier of the model of that name. One goroutine calls the result, while the slot is not
// held. The stream is charged its share of each batch.
func (slot *Slot) Classifier(model string, c pipeline.Classifier) pipeline.Classifier {
	s := slot.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.batches[model]
	if b == nil { // one for each model; models are shared by all streams
		b = &batcher{s: s, next: c, full: make(chan struct{}, 1)}
		s.batches[model] = b
	}
	r := &request{b: b, slot: slot, wake: make(chan struct{}, 1)}
	r.wait.ready = make(chan struct{}, 1)
	return r
}

// batcher gathers the crops of one classifier. It has no goroutine of its own: one of the waiting requests leads. The
// leader waits until a batch may run, takes the crops that have gathered meanwhile, and runs them. Another request
// leads the next batch. Therefore batches grow with the load, and on an idle machine no request waits.
type batcher struct {
	// static after construction
	s    *Scheduler
	next pipeline.Classifier
	full chan struct{} // signalled when enough crops for a full batch wait

	mu    sync.Mutex
	queue []*request // guarded by mu: requests with crops that are in no batch yet, in order of arrival
	led   bool       // guarded by mu: a leader waits until the batch may run, or until it is full
}

// request is one slot's call of Classify: its crops go into one batch or several. It implements
// pipeline.Classifier, and its memory is reused from call to call.
type request struct {
	// static after construction
	b    *batcher
	slot *Slot
	wait waiter
	wake chan struct{} // signalled when progress may have changed: scores came back, or a leader is needed

	batch batch // owned by the caller while it leads

	// guarded by b.mu
	crops  []pipeline.Crop
	scores []pipeline.Scores // one for each crop
	taken  int               // crops that went into a batch
	out    int               // crops in a batch that has not come back
	err    error             // of a batch
	shared bool              // the batch of err had crops of other requests too
}

// batch is a set of crops that run at once.
type batch struct {
	crops  []pipeline.Crop
	dests  []dest // where the scores go
	scores []pipeline.Scores
}

// dest is one crop's place in its request.
type dest struct {
	r  *request
	at int
}

var errPanicked = errors.New("the classifier panicked")

func (r *request) Classify(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores,
	error) {
	start := len(dst)
	dst = slices.Grow(dst, len(crops))[:start+len(crops)] // reuses the memory of the elements beyond len(dst)
	err := r.classifyShared(ctx, dst[start:], crops)
	if err != nil && ctx.Err() == nil && r.shared {
		return r.classifyAlone(ctx, dst[:start], crops)
	}
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// classifyShared has the crops classified in batches with those of other requests.
func (r *request) classifyShared(ctx context.Context, scores []pipeline.Scores, crops []pipeline.Crop) error {
	r.submit(crops, scores)
	defer r.withdraw()
	for {
		done, lead, err := r.progress()
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

// classifyAlone classifies the crops again after a batch with crops of other requests failed, so that one crop that
// cannot be classified fails only its own request.
func (r *request) classifyAlone(ctx context.Context, dst []pipeline.Scores, crops []pipeline.Crop) ([]pipeline.Scores,
	error) {
	if err := r.b.s.acquireBatch(ctx, &r.wait); err != nil {
		return dst, err
	}
	defer r.b.s.releaseBatch()
	return r.b.next.Classify(ctx, dst, crops)
}

// submit puts the crops in the queue.
func (r *request) submit(crops []pipeline.Crop, scores []pipeline.Scores) {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.crops, r.scores, r.taken, r.out, r.err, r.shared = crops, scores, 0, 0, nil, false
	if len(crops) > 0 {
		r.b.queue = append(r.b.queue, r)
	}
	if r.b.waiting() >= r.b.s.batch.MaxCrops {
		signal(r.b.full)
	}
}

// progress reports whether all crops are done, and whether the caller must lead the next batch.
func (r *request) progress() (done, lead bool, err error) {
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

// withdraw ends a call. It drops the crops that are in no batch, and waits for the batches under way, because they
// write to the caller's memory.
func (r *request) withdraw() {
	b := r.b
	b.mu.Lock()
	b.remove(r)
	for r.out > 0 {
		b.mu.Unlock()
		<-r.wake
		b.mu.Lock()
	}
	b.mu.Unlock()
}

// lead waits until a batch may run, runs it, and passes the lead on as soon as the batch's crops are picked.
func (r *request) lead(ctx context.Context) error {
	b := r.b
	b.waitUntilFull(ctx)
	if err := b.s.acquireBatch(ctx, &r.wait); err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.passLead(r)
		return err
	}
	defer b.s.releaseBatch()
	b.mu.Lock()
	b.pick(&r.batch)
	b.passLead(r)
	b.mu.Unlock()
	b.run(&r.batch)
	return nil
}

// waitUntilFull waits for more crops, for at most Batching.Wait.
func (b *batcher) waitUntilFull(ctx context.Context) {
	if b.s.batch.Wait == 0 {
		return
	}
	b.mu.Lock()
	enough := b.waiting() >= b.s.batch.MaxCrops
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

// waiting returns the number of crops that are in no batch. The caller holds mu.
func (b *batcher) waiting() (n int) {
	for _, r := range b.queue {
		n += len(r.crops) - r.taken
	}
	return n
}

// pick takes crops for a batch, round robin over the requests, so that a stream with many faces does not fill the batch
// alone. The caller holds mu.
func (b *batcher) pick(to *batch) {
	to.crops, to.dests = to.crops[:0], to.dests[:0]
	for len(b.queue) > 0 && len(to.crops) < b.s.batch.MaxCrops {
		for _, r := range b.queue {
			if len(to.crops) == b.s.batch.MaxCrops {
				break
			}
			to.crops = append(to.crops, r.crops[r.taken])
			to.dests = append(to.dests, dest{r, r.taken})
			r.taken++
			r.out++
		}
		b.queue = slices.DeleteFunc(b.queue, func(r *request) bool { return r.taken == len(r.crops) })
	}
}

// run classifies a batch and delivers its scores or its error. It takes no ctx, because the end of the leader's call
// must not end a batch with crops of other requests.
func (b *batcher) run(batch *batch) {
	if len(batch.crops) == 0 {
		return
	}
	began, err := time.Now(), errPanicked // unless Classify returns
	defer func() {
		took := time.Since(began)
		b.deliver(batch, took/time.Duration(len(batch.crops)), err)
		if b.s.batch.OnBatch != nil {
			b.s.batch.OnBatch(len(batch.crops), took, err)
		}
	}()
	batch.scores, err = b.next.Classify(context.Background(), batch.scores[:0], batch.crops)
	if err == nil && len(batch.scores) != len(batch.crops) {
		err = fmt.Errorf("the classifier gave %d scores for %d crops", len(batch.scores), len(batch.crops))
	}
}

// deliver copies the scores, or the error, to the requests, and charges each slot for its crops.
func (b *batcher) deliver(batch *batch, each time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	shared := slices.ContainsFunc(batch.dests, func(d dest) bool { return d.r != batch.dests[0].r })
	for i, d := range batch.dests {
		if err == nil {
			d.r.scores[d.at].CopyFrom(&batch.scores[i])
		} else {
			d.r.err, d.r.shared = err, d.r.shared || shared
		}
		d.r.out--
		d.r.slot.charge(each)
		if d.r.out == 0 {
			signal(d.r.wake)
		}
	}
}

// passLead lets another request lead. The caller holds mu.
func (b *batcher) passLead(from *request) {
	b.led = false
	for _, r := range b.queue {
		if r != from {
			signal(r.wake)
			return
		}
	}
}

// remove takes r off the queue, and signals another request if none leads. The caller holds mu.
func (b *batcher) remove(r *request) {
	b.queue = slices.DeleteFunc(b.queue, func(o *request) bool { return o == r })
	if !b.led && len(b.queue) > 0 {
		signal(b.queue[0].wake)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // signalled already
	}
}
