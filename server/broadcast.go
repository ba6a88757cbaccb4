package server

import (
	"sync"
	"sync/atomic"
)

const keptMessages = 64 // of each session, for readers of events that come back: two seconds' worth

// broadcast shows label messages to any number of readers. A reader that is slow skips to the newest,
// one that comes back finds the latest few: there is nothing to queue. Its zero value is ready.
type broadcast struct {
	readers atomic.Int32

	mu    sync.Mutex
	kept  [keptMessages]event // guarded by mu; the message seq is at seq % keptMessages
	last  uint64              // guarded by mu; seq of the newest, 0 before the first
	newer chan struct{}       // guarded by mu; closed when last is no longer the newest, nil when nobody asked
}

// event is a message as it is sent. Its text is never written to again.
type event struct {
	seq  uint64
	text []byte
}

// publish makes text the newest. seq counts the calls, from 1; one goroutine makes them.
func (b *broadcast) publish(seq uint64, text []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[seq%keptMessages] = event{seq, text}
	b.last = seq
	if b.newer != nil {
		close(b.newer)
		b.newer = nil
	}
}

// newest gives the newest message, when there is one after the message seen, and else a channel that
// is closed when it comes.
func (b *broadcast) newest(seen uint64) (e event, ok bool, newer <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last > seen {
		return b.kept[b.last%keptMessages], true, nil
	}
	if b.newer == nil {
		b.newer = make(chan struct{})
	}
	return event{}, false, b.newer
}

// resume gives what a reader has missed whose latest message was seen, oldest first: all of it when all
// is still kept, and else the newest alone. A reader that names no message of this session's is a new
// one. now is the message to go on after.
func (b *broadcast) resume(seen uint64, named bool) (missed []event, now uint64) {
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
