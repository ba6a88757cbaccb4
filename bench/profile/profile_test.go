package profile

import (
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// sample returns a sample of 10 ms with a stack as the profiler gives it, innermost first. Each entry is a function,
// and its file where that matters.
func sample(library string, stack ...string) *profile.Sample {
	s := &profile.Sample{Value: []int64{1, 10_000_000}}
	for _, entry := range stack {
		name, file, _ := strings.Cut(entry, " ")
		function := &profile.Function{Name: name, Filename: file}
		s.Location = append(s.Location, &profile.Location{
			Mapping: &profile.Mapping{File: library}, Line: []profile.Line{{Function: function}},
		})
	}
	if library != "" { // an address in it has no name
		s.Location = append([]*profile.Location{{Mapping: &profile.Mapping{File: library}}}, s.Location...)
	}
	return s
}

func TestShareOf(t *testing.T) {
	const session = "mindflow/server/session.(*Session).guard"
	for _, row := range []struct {
		name    string
		want    share
		library string
		stack   []string
	}{
		{"decoding", libavcodec, "", []string{
			"runtime.cgocall", "mindflow/pipeline/avdec._Cfunc_avdec_send",
			"mindflow/pipeline/avdec.(*Decoder).decode.func1", session,
		}},
		{"inference", onnxRuntime, "", []string{
			"runtime.cgocall", "github.com/yalue/onnxruntime_go._Cfunc_RunOrtSessionWithOptions",
			"mindflow/pipeline/ort.(*workspace).run", session,
		}},
		{"going to C and back", onnxRuntime, "", []string{
			"runtime.exitsyscall", "runtime.cgocall", "github.com/yalue/onnxruntime_go._Cfunc_RunOrtSessionWithOptions",
		}},
		{"a thread of ONNX Runtime's", onnxRuntime, "/opt/lib/libonnxruntime.so.1", []string{"runtime._ExternalCode"}},
		{"a thread of dav1d's", libavcodec, "/usr/lib/libdav1d.so.6.6.0", []string{"runtime._ExternalCode"}},
		{"the cascade", openCV, "", []string{
			"runtime.cgocall", "gocv.io/x/gocv._Cfunc_CascadeClassifier_DetectMultiScale",
			"mindflow/pipeline/vision.(*Cascade).Detect",
		}},
		{"other C", otherC, "", []string{"runtime.cgocall", "mindflow/pipeline/vpx._Cfunc_x", session}},
		{"C that nobody knows", otherC, "/lib/libc.so.6", []string{"runtime._ExternalCode"}},
		{"SRTP", encryption, "", []string{
			"crypto/internal/fips140/aes/gcm.gcmAesDec", "crypto/cipher.x",
			"github.com/pion/srtp/v2.(*Context).DecryptRTP", "github.com/pion/srtp/v2.(*ReadStreamSRTP).Read",
		}},
		{"a MAC", encryption, "", []string{
			"encoding/binary.bigEndian.PutUint32", "github.com/pion/srtp/v2.(*Context).generateSrtpAuthTag", session,
		}},
		{"SCTP", pion, "", []string{"hash/crc32.ieeeCLMUL", "github.com/pion/sctp.(*packet).marshal"}},
		{"RTP", pion, "", []string{
			"github.com/pion/rtp.(*Header).Unmarshal", "mindflow/server/session.(*video).ReadRTP",
		}},
		{"sampling", sampling, "", []string{
			"mindflow/pipeline.(*axis).row /x/pipeline/resample.go",
			"mindflow/pipeline.(*Sampler).Crop /x/pipeline/sample.go",
		}},
		{"sampling bytes", sampling, "", []string{"mindflow/pipeline.rowOfBytes /x/pipeline/sample_bytes.go"}},
		{"generic sampling", sampling, "", []string{"mindflow/pipeline.row[go.shape.float32] /x/pipeline/resample.go"}},
		{"copying a frame", analysis, "", []string{
			"runtime.memmove", "mindflow/pipeline.copyPlane /x/pipeline/media.go", "mindflow/pipeline.(*Mailbox).Put",
		}},
		{"sorting boxes", analysis, "", []string{
			"slices.insertionSortCmpFunc[go.shape.struct { mindflow/pipeline.x float32 }]", "slices.SortFunc[...]",
			"mindflow/pipeline.DecodeBlazeFace /x/pipeline/blazeface.go",
		}},
		{"copying a crop", analysis, "", []string{
			"runtime.memmove", "mindflow/pipeline/ort.(*Classifier).Classify", session,
		}},
		{"reassembly", sessions, "", []string{"mindflow/server/receive.(*assembler).push"}},
		{"JSON", encoding, "", []string{
			"strconv.AppendFloat", "encoding/json.floatEncoder.encode", "mindflow/server/session.(*analyst).send",
		}},
		{"memory for JSON", goRuntime, "", []string{
			"runtime.memclrNoHeapPointers", "runtime.mallocgc", "bytes.growSlice", "encoding/json.Marshal",
		}},
		{"garbage collection", goRuntime, "", []string{
			"runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker",
		}},
		{"scheduling", goRuntime, "", []string{
			"runtime.futex", "runtime.findRunnable", "runtime.schedule", "runtime.mcall",
		}},
		{"a packet from the kernel", network, "", []string{
			"internal/runtime/syscall.Syscall6", "syscall.Syscall6", "internal/poll.(*FD).ReadFrom",
			"net.(*UDPConn).ReadFrom", "github.com/pion/ice/v2.(*x).y",
		}},
		{"waiting for packets", network, "", []string{
			"internal/runtime/syscall.EpollWait", "runtime.netpoll", "runtime.findRunnable",
		}},
		{"a lock of Pion's", pion, "", []string{
			"internal/sync.(*Mutex).Lock", "sync.(*Mutex).Lock", "github.com/pion/webrtc/v3.(*x).y",
		}},
		{"answering", rest, "", []string{"net/http.(*conn).serve"}},
		{"the profiler", profiling, "", []string{
			"compress/flate.(*compressor).deflate", "runtime/pprof.(*profileBuilder).build", "net/http/pprof.Profile",
			"net/http.(*conn).serve",
		}},
		{"nothing", goRuntime, "", nil},
	} {
		if got := shareOf(sample(row.library, row.stack...)); got != row.want {
			t.Errorf("%s is %s, want %s", row.name, names[got], names[row.want])
		}
	}
}

// Profiles from before and after the counting are left out, and times are for a frame of those that remain.
func TestEvaluate(t *testing.T) {
	began := time.Now()
	p50 := 10.0
	result := &loadtest.Result{Began: began, Seconds: 10, Sent: 600,
		Overall: loadtest.Figures{P50: &p50, Rate: 15}, Sessions: make([]loadtest.Figures, 2)}
	var cuts []cut
	for at := -time.Second; at < 12*time.Second; at += slice {
		cpu := &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}
		p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, cpu},
			PeriodType: cpu, Period: 10_000_000, DurationNanos: int64(slice)}
		for range 9 {
			p.Sample = append(p.Sample, sample("", "runtime.cgocall", "mindflow/pipeline/avdec.x"))
		}
		p.Sample = append(p.Sample, sample("", "encoding/json.Marshal"), sample("", "runtime/pprof.x"))
		cuts = append(cuts, cut{began.Add(at), began.Add(at + slice), fill(p)})
	}
	seen := []process.Usage{{At: began, CPU: 0}, {At: began.Add(10 * time.Second), CPU: time.Second}}
	m, err := evaluate(cuts, result, seen)
	if err != nil {
		t.Fatal(err)
	}
	text := m.table()
	for _, want := range []string{"| libavcodec | 0.750 | 90.0 |\n", "| JSON | 0.083 | 10.0 |\n",
		"| **outside libavcodec and ONNX Runtime** | **0.08 ± 0.04** | 10.0 |\n",
		"480 frames of 640×480 received, 240 of them labelled", "(0.083 ms a frame)",
		"has 0.06 s of processor time a second, the kernel counted 0.10"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if _, err := evaluate(cuts[:1], result, seen); err == nil || !strings.Contains(err.Error(), "-duration") {
		t.Errorf("without a profile of the time: %v", err)
	}
}

// fill gives a profile's parts the numbers by which they are merged.
func fill(p *profile.Profile) *profile.Profile {
	p.Mapping = []*profile.Mapping{{ID: 1}}
	for _, s := range p.Sample {
		for _, l := range s.Location {
			l.ID, l.Mapping = uint64(len(p.Location)+1), p.Mapping[0]
			p.Location = append(p.Location, l)
			for i := range l.Line {
				l.Line[i].Function.ID = uint64(len(p.Function) + 1)
				p.Function = append(p.Function, l.Line[i].Function)
			}
		}
	}
	return p
}
