package pipeline

import (
	"sync"
	"testing"
)

// grey makes a frame of one luma value whose RTP timestamp is the same number.
func grey(w, h int, v byte) *Frame {
	f := &Frame{Width: w, Height: h, YStride: w + 3, CStride: (w+1)/2 + 1, RTP: uint32(v), FullRange: true}
	f.Y = fill(f.YStride*h, v)
	f.U = fill(f.CStride*((h+1)/2), 128)
	f.V = fill(f.CStride*((h+1)/2), 128)
	return f
}

func fill(n int, v byte) []byte {
	s := make([]byte, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func TestMailboxKeepsTheNewest(t *testing.T) {
	m := NewMailbox()
	if _, ok := m.Take(); ok {
		t.Fatal("an empty mailbox returned a frame")
	}
	if m.Put(grey(4, 4, 1)) {
		t.Fatal("the first frame replaced one")
	}
	if !m.Put(grey(5, 3, 2)) {
		t.Fatal("the second frame did not replace the first")
	}
	<-m.Ready()
	f, ok := m.Take()
	if !ok || f.RTP != 2 || f.Width != 5 || len(f.Y) != 15 || len(f.U) != 6 || f.YStride != 5 {
		t.Fatalf("took %+v, %v", f, ok)
	}
	if _, ok := m.Take(); ok {
		t.Fatal("a frame was returned twice")
	}
}

// A taken frame must not change while newer ones come in, and frames never go back in time.
func TestMailboxBetweenGoroutines(t *testing.T) {
	m := NewMailbox()
	const last = 250
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for v := byte(1); v <= last; v++ {
			m.Put(grey(32, 16, v))
		}
	}()
	newest := uint32(0)
	for newest < last {
		<-m.Ready()
		f, ok := m.Take()
		if !ok {
			continue
		}
		if f.RTP <= newest {
			t.Fatalf("frame %d came after %d", f.RTP, newest)
		}
		newest = f.RTP
		for _, y := range f.Y {
			if uint32(y) != f.RTP {
				t.Fatalf("frame %d holds a sample of frame %d", f.RTP, y)
			}
		}
	}
	wg.Wait()
}

func BenchmarkMailbox(b *testing.B) {
	m, f := NewMailbox(), grey(640, 480, 7)
	b.ReportAllocs()
	for b.Loop() {
		m.Put(f)
		m.Take()
	}
}
