package whipclient

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// Conditions are those of an emulated network. They apply to the video's packets, including retransmissions, just
// before encryption; feedback, labels and the connection itself are not affected. The zero value changes nothing.
type Conditions struct {
	Loss   float64       // share of packets that are lost, 0 to 1
	Jitter time.Duration // each packet is delayed by a random time up to this, so that some overtake others
	// Bandwidth is in bit/s of RTP. Packets that would wait longer than half a second are lost. Zero means unlimited.
	Bandwidth int
}

const (
	maxBacklog = 500 * time.Millisecond // of a network with limited bandwidth, as in a home router
	maxOnWay   = 1024                   // packets in flight; more are lost
)

// NewInterceptor makes one connection's conditions: interceptor.Factory.
func (l Conditions) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &networkInterceptor{conditions: l, done: make(chan struct{})}, nil
}

// networkInterceptor delays and drops the packets of one connection.
type networkInterceptor struct {
	interceptor.NoOp
	conditions Conditions
	done       chan struct{} // closed at the end
	once       sync.Once
	work       sync.WaitGroup
}

// BindLocalStream puts the network between a stream and its writer.
func (i *networkInterceptor) BindLocalStream(
	_ *interceptor.StreamInfo, next interceptor.RTPWriter,
) interceptor.RTPWriter {
	w := &networkWriter{conditions: i.conditions, way: make(chan packet, maxOnWay)}
	i.work.Add(1)
	go func() {
		defer i.work.Done()
		inOrderOfTime(w.way, i.done, func(p packet) {
			_, _ = next.Write(&p.header, p.payload, p.attributes) // fails only when the connection ends
		})
	}()
	return w
}

// Close ends the network. Packets in flight are lost.
func (i *networkInterceptor) Close() error {
	i.once.Do(func() { close(i.done) })
	i.work.Wait()
	return nil
}

// packet is a packet in flight.
type packet struct {
	header     rtp.Header
	payload    []byte
	attributes interceptor.Attributes
	due        time.Time
}

// networkWriter decides what happens to packets. Retransmissions come from a goroutine of Pion's.
type networkWriter struct {
	conditions Conditions
	way        chan packet

	mu   sync.Mutex
	free time.Time // when the packets before have left; guarded by mu
}

// Write takes a packet. The sender does not learn that it is lost.
func (w *networkWriter) Write(header *rtp.Header, payload []byte, attributes interceptor.Attributes) (int, error) {
	size := header.MarshalSize() + len(payload)
	due, passes := w.fate(time.Now(), size)
	if !passes {
		return size, nil
	}
	select { // copied, since the caller reuses the packet
	case w.way <- packet{header.Clone(), slices.Clone(payload), attributes, due}:
	default:
	}
	return size, nil
}

// fate returns when a packet of size bytes that is sent now arrives, and whether it does.
func (w *networkWriter) fate(now time.Time, size int) (due time.Time, passes bool) {
	due = now
	if w.conditions.Bandwidth > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.free.Before(now) {
			w.free = now
		}
		if w.free.Sub(now) > maxBacklog {
			return due, false
		}
		w.free = w.free.Add(time.Duration(size) * 8 * time.Second / time.Duration(w.conditions.Bandwidth))
		due = w.free
	}
	if w.conditions.Jitter > 0 {
		due = due.Add(rand.N(w.conditions.Jitter))
	}
	return due, rand.Float64() >= w.conditions.Loss
}

// inOrderOfTime delivers each packet when it is due, until done is closed. Packets that are due at the same time keep
// their order.
func inOrderOfTime(way <-chan packet, done <-chan struct{}, deliver func(packet)) {
	var queue []packet // the first is the next due
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for {
		for len(queue) > 0 && !time.Now().Before(queue[0].due) {
			deliver(queue[0])
			queue = slices.Delete(queue, 0, 1)
		}
		if len(queue) > 0 {
			clock.Reset(time.Until(queue[0].due))
		}
		from := way
		if len(queue) >= maxOnWay {
			from = nil
		}
		select {
		case <-done:
			return
		case p := <-from:
			i := len(queue)
			for i > 0 && queue[i-1].due.After(p.due) {
				i--
			}
			queue = slices.Insert(queue, i, p)
		case <-clock.C:
		}
	}
}
