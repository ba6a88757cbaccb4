// Package ort runs detectors and classifiers on ONNX Runtime, on the CPU or on an accelerator with the CPU behind it.
//
// Detectors and classifiers are safe for several goroutines. They keep a bounded pool of working memory: tensors are
// allocated once, pinned and reused, so that a call allocates nothing but what the binding does.
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

// wantedRelease is the release of ONNX Runtime that the binding's header belongs to and our tests use.
const wantedRelease = "1.27."

// Runtime is the process's ONNX Runtime environment. There can be one at a time.
type Runtime struct {
	library string       // path of the shared library
	device  Device       // static once networks are loaded
	live    atomic.Int64 // number of our C objects: sessions and tensors

	// keepEnvironment is set where destroying the environment would crash: after WebGPU found no adapter.
	keepEnvironment atomic.Bool

	mu       sync.Mutex
	degraded map[string]string // guarded by mu: see Degraded
}

// OpenOn is Open for networks that run on the device. The error is a *NoProviderError where the library is built
// without the device's provider.
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

// Use sets the device of the networks that are loaded from now on. The error is a *NoProviderError where the library is
// built without the device's provider. No network may be loaded at the same time.
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
// CPU. Close it after the detectors and classifiers that it loaded.
func Open(libraryPath string) (*Runtime, error) {
	if ort.IsInitialized() {
		return nil, errors.New("open onnx runtime: it is open already; a process has one")
	}
	if _, err := os.Stat(libraryPath); err != nil {
		return nil, fmt.Errorf(`open onnx runtime: %w; run "make build", which puts the library in place`, err)
	}
	if found := releaseOf(libraryPath); found != "" && !strings.HasPrefix(found, wantedRelease) {
		return nil, releaseError(libraryPath, found)
	}
	ort.SetSharedLibraryPath(libraryPath)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf(`open onnx runtime %s: %w; it should be release %sx, which "make build" puts in place`,
			libraryPath, err, wantedRelease)
	}
	if err := checkRelease(libraryPath, ort.GetVersion()); err != nil {
		return nil, errors.Join(err, ort.DestroyEnvironment())
	}
	return &Runtime{library: libraryPath, device: Device{Provider: CPU}}, nil
}

func checkRelease(libraryPath, found string) error {
	if strings.HasPrefix(found, wantedRelease) {
		return nil
	}
	return releaseError(libraryPath, found)
}

func releaseError(libraryPath, found string) error {
	return fmt.Errorf(`open onnx runtime: %s is release %s, wanted %sx; run "make build", which puts that in place`,
		libraryPath, found, wantedRelease)
}

// releaseOf returns the release in the symbol versions of a library, such as 1.27.0, or "" where there is none. A
// library of another release would print to stderr if it were loaded to ask for its version.
func releaseOf(libraryPath string) string {
	library, err := elf.Open(libraryPath)
	if err != nil {
		return "" // loading reports the error
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

// Version returns the release of the library, such as 1.27.0.
func (r *Runtime) Version() string { return ort.GetVersion() }

// Close ends the environment. It fails while a detector or classifier is open, since those point into its code.
func (r *Runtime) Close() error {
	if n := r.live.Load(); n != 0 {
		return fmt.Errorf("close onnx runtime: %d sessions and tensors are still open", n)
	}
	if r.keepEnvironment.Load() {
		return nil
	}
	if err := ort.DestroyEnvironment(); err != nil {
		return fmt.Errorf("close onnx runtime: %w", err)
	}
	return nil
}
