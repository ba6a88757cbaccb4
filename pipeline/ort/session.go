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
	net  *ort.DynamicAdvancedSession // on the runtime's device; nil where that could not load the network

	mu     sync.Mutex
	cpuNet *ort.DynamicAdvancedSession                // guarded by mu: the same on the CPU, once it was needed
	onCPU  atomic.Pointer[ort.DynamicAdvancedSession] // cpuNet, from the fallback on
}

// plan describes a session to load.
type plan struct {
	name    string // for Degraded
	path    string
	input   string
	outputs []string
	threads int // of one call, the caller's included

	maxBatch int     // pictures at once; zero means unknown
	picture  []int64 // shape of the input without the batch axis, where maxBatch is known

	graph func(provider string) ([]byte, error) // see Source; optional
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

// newSession loads a network for the runtime's device or, where that fails and Device.AllowFallback is set, for the
// CPU.
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
	cpuNet, onCPU := s.fallback()
	if onCPU != nil {
		return nil, onCPU // the cause is the file
	}
	if !r.device.AllowFallback {
		return nil, errors.Join(&DeviceError{Device: r.device, Network: p.name, Err: err}, s.close())
	}
	s.onCPU.Store(cpuNet)
	r.noteFallback(p.name, err)
	return s, nil
}

// load creates a session, which is a C object.
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
		// A thread that spins while it waits for work takes processor time from decoding.
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

// choose sets the options for the device.
func (r *Runtime) choose(on Device, options *ort.SessionOptions, p plan) error {
	if on.Provider == CUDA || on.Provider == TensorRT {
		preload(r.library, on.Provider)
	}
	err := on.accelerate(options, p)
	if err != nil && on.Provider == WebGPU {
		r.keepEnvironment.Store(true)
	}
	return err
}

// run computes the outputs from the inputs.
func (s *session) run(inputs, outputs []ort.Value) error {
	if cpuNet := s.onCPU.Load(); cpuNet != nil {
		return cpuNet.Run(inputs, outputs)
	}
	err := s.net.Run(inputs, outputs)
	if err == nil || s.rt.device.Provider == CPU {
		return err
	}
	return s.runOnCPU(inputs, outputs, err)
}

// runOnCPU repeats on the CPU what failed on the accelerator. Where the CPU fails too, the input is the cause and the
// accelerator stays in use, so that no sender can make the others lose it.
func (s *session) runOnCPU(inputs, outputs []ort.Value, why error) error {
	cpuNet, err := s.fallback()
	if err != nil {
		return errors.Join(why, err)
	}
	if err := cpuNet.Run(inputs, outputs); err != nil {
		return err
	}
	if s.onCPU.CompareAndSwap(nil, cpuNet) {
		s.rt.noteFallback(s.plan.name, why)
	}
	return nil
}

// fallback returns the network on the CPU, which it loads once.
func (s *session) fallback() (*ort.DynamicAdvancedSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cpuNet != nil {
		return s.cpuNet, nil
	}
	var err error
	s.cpuNet, err = s.rt.load(s.plan, Device{})
	return s.cpuNet, err
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs error
	for _, net := range []*ort.DynamicAdvancedSession{s.net, s.cpuNet} {
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
