package ort

import (
	"context"
	"errors"
	"sync"

	"mindflow/pipeline/schedule"
)

// gatherer forms batches of the pictures of those who call at the same time. There is no goroutine of its own: who
// comes first leads. He waits for a slot, and who comes meanwhile joins; then the batch is run, and each reads what was
// said of his own picture. So a batch is as large as the device is busy, and on an idle one nobody waits.
type gatherer struct {
	// static after construction
	running Running
	create  func() *workspace
	slots   chan struct{} // holds one value for each batch in flight

	mu      sync.Mutex
	changed *sync.Cond   // of mu: a batch may be joined, or everybody left
	forming *gathering   // guarded by mu: that may be joined; nil without
	idle    []*gathering // guarded by mu
	made    int          // guarded by mu
	inside  int          // guarded by mu: who has joined and not left
	closed  bool         // guarded by mu
}

// gathering is the memory of one batch.
type gathering struct {
	*workspace
	joined, left int // guarded by the gatherer's mu
	sampling     sync.WaitGroup
	ready        []chan struct{} // by seat: the batch was run
	err          error           // of the run; read after ready
}

func newGatherer(how Running, create func() *workspace) *gatherer {
	g := &gatherer{running: how, create: create, slots: make(chan struct{}, how.Slots)}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// join gives a seat in a batch. Waiting for one takes no longer than a batch, so ctx is looked at in between only.
func (g *gatherer) join(ctx context.Context) (*gathering, int, error) {
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
			seat := b.joined
			b.joined++
			b.sampling.Add(1)
			g.inside++
			if b.joined == g.running.Most {
				g.forming = nil
			}
			return b, seat, nil
		}
		g.changed.Wait()
	}
}

// form gives the batch that may be joined, or nil. One more than may be in flight are made, to form while the others run. mu is held.
func (g *gatherer) form() *gathering {
	if g.forming != nil {
		return g.forming
	}
	if n := len(g.idle); n > 0 {
		g.forming, g.idle = g.idle[n-1], g.idle[:n-1]
	} else if g.made <= g.running.Slots {
		g.made++
		g.forming = &gathering{workspace: g.create(), ready: make([]chan struct{}, g.running.Most)}
		for i := range g.forming.ready {
			g.forming.ready[i] = make(chan struct{}, 1)
		}
	} else {
		return nil
	}
	g.changed.Broadcast()
	return g.forming
}

// finish returns when the batch was run: by the caller, if he has the first seat.
func (g *gatherer) finish(b *gathering, seat int) error {
	if seat > 0 {
		<-b.ready[seat]
		return b.err
	}
	g.slots <- struct{}{}
	n := g.seal(b)
	b.sampling.Wait()
	b.err = b.run(n)
	<-g.slots
	for i := 1; i < n; i++ {
		b.ready[i] <- struct{}{}
	}
	return b.err
}

// seal lets nobody join any more, and counts who did.
func (g *gatherer) seal(b *gathering) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.forming == b {
		g.forming = nil
	}
	return b.joined
}

// leave is called when a caller has read what was said of his picture.
func (g *gatherer) leave(b *gathering) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if b.left++; b.left == b.joined {
		b.joined, b.left = 0, 0
		g.idle = append(g.idle, b)
		g.changed.Broadcast()
	}
}

// warm runs a batch of each size, and tells which is next. Nobody else may call meanwhile.
func (g *gatherer) warm(tell func(batch int)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.form()
	for _, size := range g.running.Sizes() {
		tell(size)
		if err := b.run(size); err != nil {
			return err
		}
	}
	return nil
}

// close waits until everybody has left and frees the memory. Later calls fail.
func (g *gatherer) close() (errs error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.changed.Broadcast()
	for g.inside > 0 {
		g.changed.Wait()
	}
	if g.forming != nil { // after warm only: who else forms one joins it
		g.idle = append(g.idle, g.forming)
	}
	for _, b := range g.idle {
		errs = errors.Join(errs, b.close())
	}
	g.idle, g.forming = nil, nil
	return errs
}
