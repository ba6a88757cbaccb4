package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

func opened(t *testing.T, object string) *File {
	t.Helper()
	f, err := Open(save(t, object))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// A compressed storage of half a gigabyte costs a file half a megabyte: it is unpacked once, however many
// tensors are views of it.
func TestReadOpensEachStorageOnce(t *testing.T) {
	items, want := []string{text("h"),
		tensor("HalfStorage", "h", 2, 1, []int{1}, []int{1})}, map[string]Tensor{"h": {[]int{1}, []float32{-2}}}
	for i := range 50 {
		at := 4 - i%5 // views that overlap, in any order
		name := fmt.Sprintf("t%02d", i)
		items = append(items, text(name), tensor("FloatStorage", "f", 6, at, []int{2}, []int{1}))
		want[name] = Tensor{[]int{2}, []float32{float32(at), float32(at + 1)}}
	}
	f := opened(t, pairs(items...))
	times, open := map[string]int{}, f.open
	f.open = func(s *storage) (io.ReadCloser, error) { times[s.key]++; return open(s) }
	got, err := f.Read(t.Context())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if want := map[string]int{"f": 1, "h": 1}; !reflect.DeepEqual(times, want) {
		t.Errorf("opened %v times, want %v", times, want)
	}
}

// zeros gives zeros, says when it is read, and has an end, for a Read that does not notice.
type zeros struct {
	read func()
	left int // times
}

func (z *zeros) Read(p []byte) (int, error) {
	z.read()
	if z.left--; z.left < 0 {
		return 0, io.EOF
	}
	clear(p)
	return len(p), nil
}

// What takes long ends when the user says so.
func TestReadEndsWithContext(t *testing.T) {
	f := opened(t, pairs(text("w"), whole()))
	ctx, cancel := context.WithCancel(t.Context())
	f.open = func(*storage) (io.ReadCloser, error) { return io.NopCloser(&zeros{cancel, 1000}), nil }
	if _, err := f.Read(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `"w"`) {
		t.Errorf("it ends with %v", err)
	}
}

// Tensors of other numbers are told apart from those that are not there.
func TestUnfit(t *testing.T) {
	count := func(name string) string { return text(name) + tensor("LongStorage", "n", 1, 0, nil, nil) }
	f := opened(t, pairs(text("module.w"), whole(), count("module.steps"), count("epoch")))
	if got, want := f.Unfit(), map[string]string{"steps": "integers", "epoch": "integers"}; !reflect.DeepEqual(got,
		want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := f.Shapes(); len(got) != 1 || got["w"] == nil {
		t.Errorf("shapes %v", got)
	}
	if _, err := Open(save(t, pairs(count("steps")))); err == nil ||
		!strings.Contains(err.Error(), `no tensors of floats found; "steps" holds integers`) {
		t.Errorf("with integers alone: %v", err)
	}
}
