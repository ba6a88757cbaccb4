package main

import (
	"fmt"
	"path"
	"runtime"
	"strings"
	"testing"

	"mindflow/pipeline"
)

// exempt packages may allocate with every frame: the binding to ONNX Runtime makes a few small slices in each call.
var exempt = []string{"github.com/yalue/onnxruntime_go."}

// TestSteadyStateAllocatesNothing checks that the frames of a running stream take no new memory in the pipeline, so
// that the garbage collector has nothing to do however many streams there are. It names the line of each allocation.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, p := range analysisPolicies {
		t.Run(p.name, func(t *testing.T) { allocatesNothing(t, p.policy) })
	}
}

func allocatesNothing(t *testing.T, policy pipeline.AnalysisPolicy) {
	const frames = 48
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	frame := wholePipeline(t, policy)
	runtime.MemProfileRate = 1 // every allocation is recorded
	before := allocations()
	for range frames {
		frame()
	}
	for place, n := range allocations() {
		if n -= before[place]; n > frames/8 { // fewer come from slices that still grow, such as lists of faces
			t.Errorf("%.1f allocations a frame at %s", float64(n)/frames, place)
		}
	}
}

// allocations counts the allocations so far whose stack passes through the project, by the inner end of the stack.
func allocations() map[string]int64 {
	runtime.GC() // the profile is as old as the collection before the last
	runtime.GC()
	records := make([]runtime.MemProfileRecord, 1<<14)
	n, _ := runtime.MemProfile(records, true)
	counts := map[string]int64{}
	for _, r := range records[:min(n, len(records))] {
		if place := allocationPlace(r.Stack()); place != "" {
			counts[place] += r.AllocObjects
		}
	}
	return counts
}

// allocationPlace returns where an allocation was made. It returns "" for one that the pipeline did not make.
func allocationPlace(stack []uintptr) string {
	var lines []string
	for frames := runtime.CallersFrames(stack); len(lines) < 5; {
		f, more := frames.Next()
		for _, name := range exempt {
			if strings.HasPrefix(f.Function, name) {
				return ""
			}
		}
		if !strings.HasPrefix(f.Function, "runtime.") {
			lines = append(lines, fmt.Sprintf("%s (%s:%d)", f.Function, path.Base(f.File), f.Line))
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
