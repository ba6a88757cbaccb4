package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"mindflow/pipeline"
)

// outsiders may allocate with every frame: the binding to ONNX Runtime makes a few small lists for each call.
var outsiders = []string{"github.com/yalue/onnxruntime_go."}

// Once a stream runs, its frames take no new memory in the pipeline, so that the garbage collector has nothing to do
// however many streams there are. Where one does, this names the line.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for name, what := range economies {
		t.Run(name, func(t *testing.T) { allocatesNothing(t, what) })
	}
}

func allocatesNothing(t *testing.T, what pipeline.AnalysisPolicy) {
	const frames = 48
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	frame := whole(t, what)
	runtime.MemProfileRate = 1 // each allocation is noted
	before := allocations()
	for range frames {
		frame()
	}
	for place, n := range allocations() {
		if n -= before[place]; n > frames/8 { // fewer are the growth of what is kept, such as lists of faces
			t.Errorf("%.1f allocations a frame at %s", float64(n)/frames, place)
		}
	}
}

// allocations counts those so far whose stack passes through the project, by the stack's inner end.
func allocations() map[string]int64 {
	runtime.GC() // the profile is that of the collection before the last
	runtime.GC()
	records := make([]runtime.MemProfileRecord, 1<<14)
	n, _ := runtime.MemProfile(records, true)
	counts := map[string]int64{}
	for _, r := range records[:min(n, len(records))] {
		if place := place(r.Stack()); place != "" {
			counts[place] += r.AllocObjects
		}
	}
	return counts
}

// place is where an allocation was made, "" where the pipeline did not.
func place(stack []uintptr) string {
	var lines []string
	for frames := runtime.CallersFrames(stack); len(lines) < 5; {
		f, more := frames.Next()
		for _, name := range outsiders {
			if strings.HasPrefix(f.Function, name) {
				return ""
			}
		}
		if !strings.HasPrefix(f.Function, "runtime.") {
			lines = append(lines, fmt.Sprintf("%s (%s:%d)", f.Function, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line))
		}
		if strings.HasPrefix(f.Function, "mindflow/bench.") || !more {
			break
		}
	}
	if text := strings.Join(lines, " < "); strings.Contains(text, "mindflow/pipeline") {
		return text
	}
	return ""
}
