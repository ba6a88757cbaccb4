package main

import (
	"path"
	"strings"

	"github.com/google/pprof/profile"
)

// share is where processor time goes.
type share int

const (
	libavcodec share = iota
	onnxRuntime
	openCV
	otherC
	encryption
	pion
	sampling
	analysis
	sessions
	encoding
	goRuntime
	network
	rest
	profiling // which is there only because it is measured
	shares    // their number
)

var names = [shares]string{
	"libavcodec", "ONNX Runtime", "OpenCV", "other C", "encryption (SRTP, DTLS)", "Pion, the rest", "pipeline: sampling", "pipeline: the rest",
	"server", "JSON", "Go runtime, garbage collection", "system calls, network", "the rest of Go", "the profiler itself",
}

// rule gives a share to what begins with a name.
type rule struct {
	name string
	to   share
}

// packages say to which share a package belongs, and those below it; the first rule that fits counts. A package that
// is not here, such as sort, works for who calls it.
var packages = []rule{
	{"crypto", encryption}, {"golang.org/x/crypto", encryption}, {"github.com/pion/srtp", encryption}, {"github.com/pion/dtls", encryption},
	{"github.com/pion/transport", network}, {"github.com/pion", pion},
	{"mindflow/pipeline", analysis}, {"mindflow/server", sessions}, {"mindflow", rest}, {"encoding/json", encoding},
	{"runtime/pprof", profiling}, {"net/http/pprof", profiling}, {"compress", profiling}, {"net/http", rest},
	{"syscall", network}, {"internal/poll", network}, {"internal/runtime/syscall", network}, {"internal/syscall", network}, {"net", network},
	{"golang.org/x/net", network}, {"golang.org/x/sys", network},
}

// callers say the same of C, by the package that calls it.
var callers = []rule{
	{"mindflow/pipeline/avdec", libavcodec}, {"github.com/yalue/onnxruntime_go", onnxRuntime}, {"mindflow/pipeline/ort", onnxRuntime},
	{"gocv.io/x/gocv", openCV}, {"mindflow/pipeline/vision", openCV},
}

// libraries say it of C in threads that are not Go's, by the library's file.
var libraries = []rule{
	{"libonnxruntime", onnxRuntime}, {"libavcodec", libavcodec}, {"libavutil", libavcodec}, {"libdav1d", libavcodec},
	{"libopencv", openCV}, {"libtbb", openCV},
}

// shareOf finds the share of a sample. While C runs that Go called, the profiler sees runtime.cgocall and its callers;
// of a thread that is not Go's it sees an address and runtime._ExternalCode.
func shareOf(s *profile.Sample) share {
	frames := framesOf(s)
	if anyOf(frames, "runtime._ExternalCode") {
		return external(s)
	}
	if anyOf(frames, "runtime.cgocall") {
		for _, f := range frames {
			if found, ok := belongs(callers, f.pkg); ok {
				return found
			}
		}
		return otherC
	}
	below := 0 // the runtime's own, at the stack's end
	for below < len(frames) && ofRuntime(frames[below].pkg) {
		below++
	}
	if below == len(frames) {
		return goRuntime
	}
	for _, f := range frames[:below] {
		if f.pkg == "runtime" && !forCaller(f.function) {
			return goRuntime
		}
	}
	return caller(frames[below:])
}

// caller finds the innermost frame of a package that has a share.
func caller(frames []frame) share {
	for _, f := range frames {
		if f.pkg == "mindflow/pipeline" && (f.file == "sample.go" || f.file == "resample.go") {
			return sampling
		}
		if found, ok := belongs(packages, f.pkg); ok {
			return found
		}
	}
	return rest
}

// belongs finds the share of a package.
func belongs(rules []rule, pkg string) (to share, ok bool) {
	for _, r := range rules {
		if pkg == r.name || strings.HasPrefix(pkg, r.name+"/") {
			return r.to, true
		}
	}
	return rest, false
}

// external finds the share of C that Go did not call.
func external(s *profile.Sample) share {
	if m := s.Location[0].Mapping; m != nil {
		for _, r := range libraries {
			if strings.HasPrefix(path.Base(m.File), r.name) {
				return r.to
			}
		}
	}
	return otherC
}

func ofRuntime(pkg string) bool {
	return pkg == "runtime" || pkg == "internal/abi" || pkg == "internal/bytealg" || strings.HasPrefix(pkg, "internal/runtime/") && pkg != "internal/runtime/syscall"
}

// forCaller says whether a function of the runtime does its caller's own work, such as copying.
func forCaller(function string) bool {
	for _, beginning := range []string{"mem", "duff", "strhash", "aeshash", "mapaccess", "mapassign", "mapiter", "slicebytetostring", "concatstring", "asyncPreempt", "cmpstring"} {
		if strings.HasPrefix(function, beginning) {
			return true
		}
	}
	return false
}

// frame is a function on a stack.
type frame struct{ pkg, function, file string }

// framesOf lists a sample's, innermost first.
func framesOf(s *profile.Sample) (frames []frame) {
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function == nil {
				continue
			}
			name := line.Function.Name // such as github.com/pion/srtp/v2.(*Context).decryptRTP
			name, _, _ = strings.Cut(name, "[")
			slash := strings.LastIndexByte(name, '/') + 1
			pkg, function, _ := strings.Cut(name[slash:], ".")
			frames = append(frames, frame{name[:slash] + pkg, function, path.Base(line.Function.Filename)})
		}
	}
	return frames
}

func anyOf(frames []frame, name string) bool {
	for _, f := range frames {
		if f.pkg+"."+f.function == name {
			return true
		}
	}
	return false
}
