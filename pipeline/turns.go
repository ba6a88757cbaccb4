package pipeline

import (
	"context"
	"sync"
)

// Turns shares the machine among sessions: at most n hold a turn, and the others are served first
// come, first served. A session takes one turn a frame, so when there is too much work every
// session's rate falls alike and nobody's delay grows.
type Turns struct {
	mu      sync.Mutex
	free    int             // guarded by mu
	waiting []chan struct{} // guarded by mu; at most one a session
}

// NewTurns lets n holders in at a time.
func NewTurns(n int) *Turns { return &Turns{free: n} }

// Take waits for a turn. The error is ctx's; then no turn is held.
func (t *Turns) Take(ctx context.Context) error {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	t.waiting = append(t.waiting, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
		t.leave(mine)
		return ctx.Err()
	}
}

// leave takes mine off the queue, or passes its turn on when it was served at the same moment.
func (t *Turns) leave(mine chan struct{}) {
	t.mu.Lock()
	for i, w := range t.waiting {
		if w == mine {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			t.mu.Unlock()
			return
		}
	}
	t.mu.Unlock()
	t.Give()
}

// Give passes a held turn to whoever has waited longest.
func (t *Turns) Give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.free++
		return
	}
	close(t.waiting[0])
	t.waiting = append(t.waiting[:0], t.waiting[1:]...)
}
