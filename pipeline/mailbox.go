package pipeline

import "sync"

// Mailbox passes frames from the goroutine that decodes to the one that analyses. It holds one frame, which a newer
// one replaces, so the reader always gets the newest. Three buffers circulate (written, waiting, read), so that
// neither side waits for the other.
type Mailbox struct {
	ready chan struct{} // static after construction

	write *Frame // owned by the caller of Put
	read  *Frame // owned by the caller of Take

	mu      sync.Mutex
	waiting *Frame // guarded by mu
	full    bool   // guarded by mu: waiting holds a frame
}

// NewMailbox returns an empty mailbox. Its buffers grow to the size of the frames that pass.
func NewMailbox() *Mailbox {
	return &Mailbox{ready: make(chan struct{}, 1), write: &Frame{}, waiting: &Frame{}, read: &Frame{}}
}

// Put copies f into the mailbox and reports whether it replaced a frame that was not taken.
func (m *Mailbox) Put(f *Frame) (replaced bool) {
	m.write.CopyFrom(f)
	m.mu.Lock()
	m.write, m.waiting = m.waiting, m.write
	replaced, m.full = m.full, true
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default: // already signalled
	}
	return replaced
}

// Ready is signalled when a frame waits. A signal can be stale; then Take returns no frame.
func (m *Mailbox) Ready() <-chan struct{} { return m.ready }

// Take returns the waiting frame, if there is one. It is valid until the next Take.
func (m *Mailbox) Take() (f *Frame, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.full {
		return nil, false
	}
	m.read, m.waiting = m.waiting, m.read
	m.full = false
	return m.read, true
}
