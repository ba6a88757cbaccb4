package whipclient

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// Line is what the way to the server does to the video's packets, those that are sent again included. It stands
// just before encryption: feedback, labels and the connection itself are left alone. The zero Line does nothing.
type Line struct {
	Loss      float64       // share of packets that are lost, 0 to 1
	Jitter    time.Duration // a packet is late by up to so much, each by chance, so that some overtake others
	Bandwidth int           // bit/s of RTP; what would wait longer than half a second is lost; 0 is no limit
}

const (
	maxBacklog = 500 * time.Millisecond // of a line with limited bandwidth, as in a router at home
	maxOnWay   = 1024                   // packets; more are lost
)

// NewInterceptor makes one connection's line: interceptor.Factory.
func (l Line) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &lineInterceptor{line: l, done: make(chan struct{})}, nil
}

// lineInterceptor carries the packets of one connection.
type lineInterceptor struct {
	interceptor.NoOp
	line Line
	done chan struct{} // closed at the end
	once sync.Once
	work sync.WaitGroup
}

func (i *lineInterceptor) BindLocalStream(_ *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	w := &lineWriter{line: i.line, way: make(chan packet, maxOnWay)}
	i.work.Add(1)
	go func() {
		defer i.work.Done()
		inOrderOfTime(w.way, i.done, func(p packet) {
			_, _ = next.Write(&p.header, p.payload, p.attributes) // fails only when the connection ends, which others notice
		})
	}()
	return w
}

// Close ends the line; what is on the way is lost.
func (i *lineInterceptor) Close() error {
	i.once.Do(func() { close(i.done) })
	i.work.Wait()
	return nil
}

// packet is to be delivered at a time.
type packet struct {
	header     rtp.Header
	payload    []byte
	attributes interceptor.Attributes
	due        time.Time
}

// lineWriter decides on the fate of packets. Those that are sent again come from a goroutine of Pion's.
type lineWriter struct {
	line Line
	way  chan packet

	mu   sync.Mutex
	free time.Time // when what was sent before has left; mu guards it
}

// Write takes a packet; who sends does not notice that it gets lost.
func (w *lineWriter) Write(header *rtp.Header, payload []byte, attributes interceptor.Attributes) (int, error) {
	size := header.MarshalSize() + len(payload)
	due, passes := w.fate(time.Now(), size)
	if !passes {
		return size, nil
	}
	select { // the packet is the caller's again when this returns
	case w.way <- packet{header.Clone(), slices.Clone(payload), attributes, due}:
	default:
	}
	return size, nil
}

// fate is when a packet of size bytes that is sent now arrives, if it does.
func (w *lineWriter) fate(now time.Time, size int) (due time.Time, passes bool) {
	due = now
	if w.line.Bandwidth > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.free.Before(now) {
			w.free = now
		}
		if w.free.Sub(now) > maxBacklog {
			return due, false
		}
		w.free = w.free.Add(time.Duration(size) * 8 * time.Second / time.Duration(w.line.Bandwidth))
		due = w.free
	}
	if w.line.Jitter > 0 {
		due = due.Add(rand.N(w.line.Jitter))
	}
	return due, rand.Float64() >= w.line.Loss
}

// inOrderOfTime delivers each packet when it is due, until done. Those that are due at the same time keep
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
