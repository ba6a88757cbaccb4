// Package ort runs detectors and classifiers on ONNX Runtime, on the CPU or on an accelerator with the CPU behind it.
//
// Everything here that is safe for several goroutines keeps a bounded pool of working memory: tensors
// are made once, pinned, and reused, so that a call allocates nothing but what the binding itself does.
package ort

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"
)

// wanted is the release of ONNX Runtime that the binding's header belongs to and our tests ran with.
const wanted = "1.27."

// Runtime is the process's ONNX Runtime environment. There can be one at a time.
type Runtime struct {
	library string       // path it was loaded from
	device  Device       // static once networks are loaded
	live    atomic.Int64 // C objects of ours: sessions and tensors
	keep    atomic.Bool  // the environment must not be destroyed: WebGPU without an adapter leaves it in a state in which that crashes

	mu       sync.Mutex
	degraded map[string]string // guarded by mu: networks that are not where they were set to be
}

// OpenOn is Open for networks that run on the device, which is an error, a *NoProviderError, where the library is built without it.
func OpenOn(libraryPath string, on Device) (*Runtime, error) {
	r, err := Open(libraryPath)
	if err != nil {
		return nil, err
	}
	if err := r.Use(on); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Use has the networks that are loaded from now on run on the device. The error is a *NoProviderError where the library is built without it.
// No network may be loaded meanwhile.
func (r *Runtime) Use(on Device) error {
	if on.Provider == "" {
		on.Provider = CPU
	}
	if err := r.check(on); err != nil {
		return err
	}
	r.device = on
	return nil
}

// Open loads the shared library at libraryPath (libonnxruntime.so, 1.27.x) and starts it, for networks that run on the
// CPU. Close it after the detectors and classifiers made with it.
func Open(libraryPath string) (*Runtime, error) {
	if ort.IsInitialized() {
		return nil, errors.New("open onnx runtime: it is open already; a process has one")
	}
	if _, err := os.Stat(libraryPath); err != nil {
		return nil, fmt.Errorf(`open onnx runtime: %w; run "make build", which puts the library in place`, err)
	}
	if found := stated(libraryPath); found != "" && !strings.HasPrefix(found, wanted) {
		return nil, fmt.Errorf(`open onnx runtime: %s is release %s, wanted %sx; run "make build", which puts that in place`, libraryPath, found, wanted)
	}
	ort.SetSharedLibraryPath(libraryPath)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf(`open onnx runtime %s: %w; it should be release %sx, which "make build" puts in place`, libraryPath, err, wanted)
	}
	if err := checkRelease(libraryPath, ort.GetVersion()); err != nil {
		return nil, errors.Join(err, ort.DestroyEnvironment())
	}
	return &Runtime{library: libraryPath, device: Device{Provider: CPU}}, nil
}

func checkRelease(libraryPath, found string) error {
	if strings.HasPrefix(found, wanted) {
		return nil
	}
	return fmt.Errorf(`open onnx runtime: %s is release %s, wanted %sx; run "make build", which puts that in place`, libraryPath, found, wanted)
}

// stated reads the release that a library's symbols are versioned with, such as 1.27.0, or "" where none is
// stated. Asked by loading it, one of another release complains on stderr by itself.
func stated(libraryPath string) string {
	library, err := elf.Open(libraryPath)
	if err != nil {
		return "" // loading says what is wrong
	}
	defer library.Close()
	section := library.Section(".dynstr")
	if section == nil {
		return ""
	}
	names, err := section.Data()
	if err != nil {
		return ""
	}
	_, rest, found := bytes.Cut(names, []byte("\x00VERS_"))
	if !found {
		return ""
	}
	release, _, _ := bytes.Cut(rest, []byte{0})
	return string(release)
}

// Version is the release of the library, such as 1.27.0.
func (r *Runtime) Version() string { return ort.GetVersion() }

// Close ends the environment. It refuses while a detector or classifier is open, since they would be
// left pointing into unloaded code.
func (r *Runtime) Close() error {
	if n := r.live.Load(); n != 0 {
		return fmt.Errorf("close onnx runtime: %d sessions and tensors are still open", n)
	}
	if r.keep.Load() {
		return nil
	}
	if err := ort.DestroyEnvironment(); err != nil {
		return fmt.Errorf("close onnx runtime: %w", err)
	}
	return nil
}
