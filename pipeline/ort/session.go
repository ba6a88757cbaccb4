package ort

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"
)

// session is a loaded network with one input. It may run in several goroutines at once.
type session struct {
	// static after construction
	rt   *Runtime
	plan plan
	net  *ort.DynamicAdvancedSession // on the runtime's device; nil where that could not load it

	mu    sync.Mutex
	spare *ort.DynamicAdvancedSession // guarded by mu: the same on the CPU, from when it was first needed
	onCPU atomic.Pointer[ort.DynamicAdvancedSession]
}

// plan is what a session is loaded with.
type plan struct {
	name    string // in Degraded
	path    string
	input   string
	outputs []string // in that order
	threads int      // that work on one call, the caller's included

	most    int     // pictures at once; 0: not known
	picture []int64 // shape of the input without the batch axis, where most is known

	graph func(provider string) ([]byte, error) // see Source; may be nil
}

// open loads the plan's network for a provider.
func (p plan) open(provider string, options *ort.SessionOptions) (*ort.DynamicAdvancedSession, error) {
	if p.graph == nil {
		return ort.NewDynamicAdvancedSession(p.path, []string{p.input}, p.outputs, options)
	}
	graph, err := p.graph(provider)
	if err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(graph, []string{p.input}, p.outputs, options)
}

// newSession loads a network for the runtime's device or, where that cannot take it and is lenient, for the CPU.
func (r *Runtime) newSession(p plan) (*session, error) {
	if p.threads < 1 {
		return nil, fmt.Errorf("load %s: %d threads, want at least one", p.path, p.threads)
	}
	s := &session{rt: r, plan: p}
	net, err := r.load(p, r.device)
	if err == nil {
		s.net = net
		return s, nil
	}
	if r.device.Provider == CPU {
		return nil, err
	}
	spare, onCPU := s.fallback()
	if onCPU != nil {
		return nil, onCPU // the file is at fault
	}
	if !r.device.Lenient {
		return nil, errors.Join(&DeviceError{Device: r.device, Network: p.name, Err: err}, s.close())
	}
	s.onCPU.Store(spare)
	r.fell(p.name, err)
	return s, nil
}

// load makes a session in C's memory.
func (r *Runtime) load(p plan, on Device) (net *ort.DynamicAdvancedSession, err error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.path, err)
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	err = errors.Join(
		options.SetIntraOpNumThreads(p.threads),
		options.SetInterOpNumThreads(1),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		// A thread that spins while it waits for work takes the processor from decoding.
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err != nil {
		return nil, fmt.Errorf("load %s: set options: %w", p.path, err)
	}
	if err := r.choose(on, options, p); err != nil {
		return nil, fmt.Errorf("load %s: choose %s: %w", p.path, on, err)
	}
	net, err = p.open(cmp.Or(on.Provider, CPU), options)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.path, err)
	}
	r.live.Add(1)
	return net, nil
}

// choose has options choose the device.
func (r *Runtime) choose(on Device, options *ort.SessionOptions, p plan) error {
	if on.Provider == CUDA || on.Provider == TensorRT {
		preload(r.library, on.Provider)
	}
	err := on.accelerate(options, p)
	if err != nil && on.Provider == WebGPU {
		r.keep.Store(true)
	}
	return err
}

// run computes outputs from inputs.
func (s *session) run(inputs, outputs []ort.Value) error {
	if spare := s.onCPU.Load(); spare != nil {
		return spare.Run(inputs, outputs)
	}
	err := s.net.Run(inputs, outputs)
	if err == nil || s.rt.device.Provider == CPU {
		return err
	}
	return s.runOnCPU(inputs, outputs, err)
}

// runOnCPU answers what failed on the accelerator. What the CPU cannot run either is the input's fault: then the accelerator
// stays in use, so that nobody takes it from the others by what they send.
func (s *session) runOnCPU(inputs, outputs []ort.Value, why error) error {
	spare, err := s.fallback()
	if err != nil {
		return errors.Join(why, err)
	}
	if err := spare.Run(inputs, outputs); err != nil {
		return err
	}
	if s.onCPU.CompareAndSwap(nil, spare) {
		s.rt.fell(s.plan.name, why)
	}
	return nil
}

// fallback loads the network for the CPU, once.
func (s *session) fallback() (*ort.DynamicAdvancedSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spare != nil {
		return s.spare, nil
	}
	var err error
	s.spare, err = s.rt.load(s.plan, Device{})
	return s.spare, err
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs error
	for _, net := range []*ort.DynamicAdvancedSession{s.net, s.spare} {
		if net == nil {
			continue
		}
		s.rt.live.Add(-1)
		if err := net.Destroy(); err != nil {
			errs = errors.Join(errs, fmt.Errorf("close session: %w", err))
		}
	}
	return errs
}
