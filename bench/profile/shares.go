package profile

import (
	"path"
	"strings"

	"github.com/google/pprof/profile"
)

// share is a part of the program or its libraries that processor time goes to.
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
	profiling // what the measurement itself takes
	shares    // their number
)

var names = [shares]string{
	"libavcodec", "ONNX Runtime", "OpenCV", "other C", "encryption (SRTP, DTLS)", "Pion, the rest",
	"pipeline: sampling", "pipeline: the rest", "server", "JSON", "Go runtime, garbage collection",
	"system calls, network", "the rest of Go", "the profiler itself",
}

// rule gives a share to packages or libraries whose name begins with name.
type rule struct {
	name string
	to   share
}

// packages maps a package, and those below it, to its share. The first rule that fits counts. A package without a rule,
// such as sort, counts for its caller.
var packages = []rule{
	{"crypto", encryption}, {"golang.org/x/crypto", encryption},
	{"github.com/pion/srtp", encryption}, {"github.com/pion/dtls", encryption},
	{"github.com/pion/transport", network}, {"github.com/pion", pion},
	{"mindflow/pipeline", analysis}, {"mindflow/server", sessions}, {"mindflow", rest}, {"encoding/json", encoding},
	{"runtime/pprof", profiling}, {"net/http/pprof", profiling}, {"compress", profiling}, {"net/http", rest},
	{"syscall", network}, {"internal/poll", network}, {"internal/runtime/syscall", network},
	{"internal/syscall", network}, {"net", network}, {"golang.org/x/net", network}, {"golang.org/x/sys", network},
}

// callers maps C code to a share by the package that calls it.
var callers = []rule{
	{"mindflow/pipeline/avdec", libavcodec},
	{"github.com/yalue/onnxruntime_go", onnxRuntime}, {"mindflow/pipeline/ort", onnxRuntime},
	{"gocv.io/x/gocv", openCV}, {"mindflow/pipeline/vision", openCV},
}

// libraries maps C code in threads of its own to a share by the file of the library.
var libraries = []rule{
	{"libonnxruntime", onnxRuntime}, {"libavcodec", libavcodec}, {"libavutil", libavcodec}, {"libdav1d", libavcodec},
	{"libopencv", openCV}, {"libtbb", openCV},
}

// shareOf returns the share of a sample. In a call from Go into C, the stack holds runtime.cgocall and its callers. In
// a thread that Go did not start, it holds only an address and runtime._ExternalCode.
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
	below := 0 // frames of the runtime at the inner end of the stack
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

// caller returns the share of the innermost frame whose package has one.
func caller(frames []frame) share {
	for _, f := range frames {
		if f.pkg == "mindflow/pipeline" && (strings.HasPrefix(f.file, "sample") || f.file == "resample.go") {
			return sampling
		}
		if found, ok := belongs(packages, f.pkg); ok {
			return found
		}
	}
	return rest
}

// belongs returns the share that rules give a package.
func belongs(rules []rule, pkg string) (to share, ok bool) {
	for _, r := range rules {
		if pkg == r.name || strings.HasPrefix(pkg, r.name+"/") {
			return r.to, true
		}
	}
	return rest, false
}

// external returns the share of C code in a thread that Go did not start.
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
	return pkg == "runtime" || pkg == "internal/abi" || pkg == "internal/bytealg" ||
		strings.HasPrefix(pkg, "internal/runtime/") && pkg != "internal/runtime/syscall"
}

// forCaller reports whether a function of the runtime does its caller's own work, such as copying.
func forCaller(function string) bool {
	for _, beginning := range []string{"mem", "duff", "strhash", "aeshash", "mapaccess", "mapassign", "mapiter",
		"slicebytetostring", "concatstring", "asyncPreempt", "cmpstring"} {
		if strings.HasPrefix(function, beginning) {
			return true
		}
	}
	return false
}

// frame is a function on a stack.
type frame struct{ pkg, function, file string }

// framesOf returns the frames of a sample's stack, innermost first.
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
