package ort

import (
	"context"
	"errors"
	"sync"

	"mindflow/pipeline/schedule"
)

// frameBatcher forms batches of the frames of callers that come at the same time. It has no goroutine of its own: the
// first caller of a batch leads. The leader waits until a batch may run, and others join meanwhile; then the leader
// runs the batch, and each caller reads the outputs for its own frame. So batches grow with the load, and on an idle
// device no caller waits.
type frameBatcher struct {
	// static after construction
	opts     RunOptions
	create   func() *workspace
	inFlight chan struct{} // holds one value for each batch that runs

	mu      sync.Mutex
	changed *sync.Cond    // of mu: a batch may be joined, or all callers have left
	forming *frameBatch   // guarded by mu: the batch that may be joined; may be nil
	idle    []*frameBatch // guarded by mu
	made    int           // guarded by mu: number of batches allocated
	inside  int           // guarded by mu: number of callers that have joined and not left
	closed  bool          // guarded by mu
}

// frameBatch is the memory of one batch.
type frameBatch struct {
	*workspace
	joined, left int             // guarded by the frameBatcher's mu
	sampling     sync.WaitGroup  // counts callers that have joined and not filled in their frame
	ready        []chan struct{} // by index in the batch: the batch has run
	err          error           // of the run; read after ready
}

func newFrameBatcher(opts RunOptions, create func() *workspace) *frameBatcher {
	g := &frameBatcher{opts: opts, create: create, inFlight: make(chan struct{}, opts.InFlight)}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// join returns a batch and the caller's index in it. The wait is no longer than a batch takes, so ctx is only checked
// in between.
func (g *frameBatcher) join(ctx context.Context) (*frameBatch, int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if g.closed {
			return nil, 0, schedule.ErrClosed
		}
		if b := g.form(); b != nil {
			index := b.joined
			b.joined++
			b.sampling.Add(1)
			g.inside++
			if b.joined == g.opts.MaxBatch {
				g.forming = nil
			}
			return b, index, nil
		}
		g.changed.Wait()
	}
}

// form returns the batch that may be joined, or nil. There is one batch more than may be in flight, which forms while
// the others run. mu is held.
func (g *frameBatcher) form() *frameBatch {
	if g.forming != nil {
		return g.forming
	}
	if n := len(g.idle); n > 0 {
		g.forming, g.idle = g.idle[n-1], g.idle[:n-1]
	} else if g.made <= g.opts.InFlight {
		g.made++
		g.forming = &frameBatch{workspace: g.create(), ready: make([]chan struct{}, g.opts.MaxBatch)}
		for i := range g.forming.ready {
			g.forming.ready[i] = make(chan struct{}, 1)
		}
	} else {
		return nil
	}
	g.changed.Broadcast()
	return g.forming
}

// finish returns when the batch has run. The caller with index 0 runs it.
func (g *frameBatcher) finish(b *frameBatch, index int) error {
	if index > 0 {
		<-b.ready[index]
		return b.err
	}
	g.inFlight <- struct{}{}
	n := g.seal(b)
	b.sampling.Wait()
	b.err = b.run(n)
	<-g.inFlight
	for i := 1; i < n; i++ {
		b.ready[i] <- struct{}{}
	}
	return b.err
}

// seal ends joining and returns the number of callers that joined.
func (g *frameBatcher) seal(b *frameBatch) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.forming == b {
		g.forming = nil
	}
	return b.joined
}

// leave is called when a caller has read the outputs for its frame.
func (g *frameBatcher) leave(b *frameBatch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if b.left++; b.left == b.joined {
		b.joined, b.left = 0, 0
		g.idle = append(g.idle, b)
		g.changed.Broadcast()
	}
}

// warm runs a batch of each size, and calls progress before each. No other call may run meanwhile.
func (g *frameBatcher) warm(progress func(batch int)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.form()
	for _, size := range g.opts.Sizes() {
		progress(size)
		if err := b.run(size); err != nil {
			return err
		}
	}
	return nil
}

// close waits until all callers have left and frees the memory. Later calls fail.
func (g *frameBatcher) close() (errs error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.changed.Broadcast()
	for g.inside > 0 {
		g.changed.Wait()
	}
	if g.forming != nil { // after warm only: every other caller that forms a batch joins it
		g.idle = append(g.idle, g.forming)
	}
	for _, b := range g.idle {
		errs = errors.Join(errs, b.close())
	}
	g.idle, g.forming = nil, nil
	return errs
}
