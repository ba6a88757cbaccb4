package whipclient

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// fates sends packets of 1000 bits at a steady rate and gives how late each arrives, and how many are lost.
func fates(l Conditions, packets int, every time.Duration) (late []time.Duration, lost int) {
	w := &networkWriter{conditions: l}
	now := time.Now()
	for range packets {
		if due, passes := w.fate(now, 125); passes {
			late = append(late, due.Sub(now))
		} else {
			lost++
		}
		now = now.Add(every)
	}
	return late, lost
}

func TestConditionsFate(t *testing.T) {
	const n, ms = 10_000, time.Millisecond
	for _, row := range []struct {
		name            string
		conditions      Conditions
		every           time.Duration // from one packet of 1000 bits to the next
		lost            float64       // share
		least, greatest time.Duration // by which what arrives is late
	}{
		{"clear", Conditions{}, ms, 0, 0, 0},
		{"half lost", Conditions{Loss: 0.5}, ms, 0.5, 0, 0},
		{"all lost", Conditions{Loss: 1}, ms, 1, 0, 0},
		{"jitter", Conditions{Jitter: 20 * ms}, ms, 0, 0, 20 * ms},
		{"wide enough", Conditions{Bandwidth: 1_000_000}, 2 * ms, 0, ms, ms},
		// 500 fit into the queue
		{"half as wide as it takes", Conditions{Bandwidth: 1_000_000}, ms / 2, 0.475, ms, 501 * ms},
		{"all", Conditions{Loss: 0.1, Jitter: 5 * ms, Bandwidth: 1_000_000}, 2 * ms, 0.1, ms, 6 * ms},
	} {
		late, lost := fates(row.conditions, n, row.every)
		if got := float64(lost) / n; math.Abs(got-row.lost) > 0.03 {
			t.Errorf("%s: %.2f is lost, want %.2f", row.name, got, row.lost)
		}
		if len(late) == 0 {
			continue
		}
		least, greatest := slices.Min(late), slices.Max(late)
		if least < row.least || greatest > row.greatest || greatest-least < (row.greatest-row.least)*9/10 {
			t.Errorf("%s: %v to %v late, want %v to %v", row.name, least, greatest, row.least, row.greatest)
		}
	}
}

// Packets arrive when they are due, whole, though the sender uses their memory again; at the end none is left.
func TestConditionsCarries(t *testing.T) {
	const packets = 100
	made, err := Conditions{Jitter: 20 * time.Millisecond}.NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	type arrival struct {
		sequence uint16
		payload  string
	}
	came := make(chan arrival, packets)
	w := made.BindLocalStream(
		nil,
		interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
			came <- arrival{h.SequenceNumber, string(payload)}
			return 0, nil
		}),
	)
	header, payload := &rtp.Header{}, []byte("....")
	for i := range packets {
		header.SequenceNumber = uint16(i)
		copy(payload, fmt.Sprintf("%04d", i))
		if _, err := w.Write(header, payload, nil); err != nil {
			t.Fatal(err)
		}
	}
	var order []uint16
	for range packets {
		a := <-came
		if a.payload != fmt.Sprintf("%04d", a.sequence) {
			t.Errorf("packet %d holds %q", a.sequence, a.payload)
		}
		order = append(order, a.sequence)
	}
	if slices.IsSorted(order) {
		t.Error("no packet overtook another")
	}
	slices.Sort(order)
	if len(slices.Compact(order)) != packets {
		t.Errorf("%d different packets came", len(order))
	}
	if err := made.Close(); err != nil {
		t.Error(err)
	}
}

// A line that is ended while packets wait, and one that more come than fit, end all the same.
func TestConditionsEnds(t *testing.T) {
	made, err := Conditions{Jitter: time.Hour}.NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	w := made.BindLocalStream(
		nil,
		interceptor.RTPWriterFunc(func(*rtp.Header, []byte, interceptor.Attributes) (int, error) { return 0, nil }),
	)
	for range 3 * maxOnWay {
		if _, err := w.Write(&rtp.Header{}, []byte{1}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Write(&rtp.Header{}, []byte{1}, nil); err != nil {
		t.Error(err)
	}
}
