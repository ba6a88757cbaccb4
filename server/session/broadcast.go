package session

import (
	"sync"
	"sync/atomic"
)

const (
	// MaxReaders is how many readers a Broadcast may have at a time.
	MaxReaders = 8

	keptMessages = 64 // for readers that come back: two seconds' worth
)

// Broadcast passes the messages with labels to any number of readers. A slow reader skips to the newest message, and
// one that comes back finds the latest few, so nothing is queued. Its zero value is ready.
type Broadcast struct {
	readers atomic.Int32

	mu    sync.Mutex
	kept  [keptMessages]Event // guarded by mu; the message seq is at seq % keptMessages
	last  uint64              // guarded by mu; seq of the newest, 0 before the first
	newer chan struct{}       // guarded by mu; closed when there is a message after last; nil while no reader waits
}

// Event is a message as it is sent. Its text is never changed.
type Event struct {
	Seq  uint64
	Text []byte
}

// Enter takes a reader's place. It reports whether there was one; then call Leave at the end.
func (b *Broadcast) Enter() bool {
	if b.readers.Add(1) <= MaxReaders {
		return true
	}
	b.readers.Add(-1)
	return false
}

// Leave gives a reader's place back.
func (b *Broadcast) Leave() { b.readers.Add(-1) }

// Readers returns how many readers there are.
func (b *Broadcast) Readers() int { return int(b.readers.Load()) }

// Publish makes text the newest message. seq counts the calls, from 1. One goroutine calls it.
func (b *Broadcast) Publish(seq uint64, text []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[seq%keptMessages] = Event{seq, text}
	b.last = seq
	if b.newer != nil {
		close(b.newer)
		b.newer = nil
	}
}

// Newest returns the newest message, if there is one after the message seen; otherwise a channel that is closed when
// there is.
func (b *Broadcast) Newest(seen uint64) (e Event, ok bool, newer <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last > seen {
		return b.kept[b.last%keptMessages], true, nil
	}
	if b.newer == nil {
		b.newer = make(chan struct{})
	}
	return Event{}, false, b.newer
}

// Resume returns what a reader has missed whose latest message was seen, oldest first: all of it while all is kept,
// otherwise the newest message alone. A reader that names no message of this session is a new one. now is the message
// to continue after.
func (b *Broadcast) Resume(seen uint64, named bool) (missed []Event, now uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !named || seen > b.last || b.last-seen > keptMessages {
		seen = max(b.last, 1) - 1
	}
	for seq := seen + 1; seq <= b.last; seq++ {
		missed = append(missed, b.kept[seq%keptMessages])
	}
	return missed, b.last
}
