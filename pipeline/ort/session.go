package ort

import (
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// session is a loaded network with one input. It may run in several goroutines at once.
type session struct {
	rt  *Runtime
	net *ort.DynamicAdvancedSession
}

// newSession loads the file for the given outputs, in that order. threads is the number that work on
// one call, the caller's included.
func (r *Runtime) newSession(path, input string, outputs []string, threads int) (s *session, err error) {
	if threads < 1 {
		return nil, fmt.Errorf("load %s: %d threads, want at least one", path, threads)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	err = errors.Join(
		options.SetIntraOpNumThreads(threads),
		options.SetInterOpNumThreads(1),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		// A thread that spins while it waits for work takes the processor from decoding.
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err != nil {
		return nil, fmt.Errorf("load %s: set options: %w", path, err)
	}
	net, err := ort.NewDynamicAdvancedSession(path, []string{input}, outputs, options)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	r.live.Add(1)
	return &session{r, net}, nil
}

func (s *session) close() error {
	s.rt.live.Add(-1)
	if err := s.net.Destroy(); err != nil {
		return fmt.Errorf("close session: %w", err)
	}
	return nil
}
