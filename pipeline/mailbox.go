package pipeline

import "sync"

// Mailbox hands frames from one goroutine that decodes to one that analyses. It holds one frame: a
// newer one replaces it, so what is taken is never older than the newest decoded. Three buffers
// circulate (one being written, one waiting, one being read), so neither side waits for the other.
type Mailbox struct {
	ready chan struct{} // static after construction

	write *Frame // owned by the putter
	read  *Frame // owned by the taker

	mu   sync.Mutex
	slot *Frame // guarded by mu
	full bool   // guarded by mu
}

// NewMailbox makes an empty one. Its buffers grow to the size of the frames that pass.
func NewMailbox() *Mailbox {
	return &Mailbox{ready: make(chan struct{}, 1), write: &Frame{}, slot: &Frame{}, read: &Frame{}}
}

// Put copies f into the slot and says whether a frame that nobody took was replaced.
func (m *Mailbox) Put(f *Frame) (replaced bool) {
	m.write.CopyFrom(f)
	m.mu.Lock()
	m.write, m.slot = m.slot, m.write
	replaced, m.full = m.full, true
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default: // already signalled
	}
	return replaced
}

// Ready is signalled when a frame waits. A signal can be stale: Take says.
func (m *Mailbox) Ready() <-chan struct{} { return m.ready }

// Take returns the waiting frame, if there is one. It is the caller's until the caller's next Take.
func (m *Mailbox) Take() (f *Frame, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.full {
		return nil, false
	}
	m.read, m.slot = m.slot, m.read
	m.full = false
	return m.read, true
}
