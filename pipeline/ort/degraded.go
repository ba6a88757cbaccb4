package ort

import (
	"fmt"
	"maps"
)

// fell notes that a network of this name runs on the CPU and not where it was set to.
func (r *Runtime) fell(network string, why error) {
	r.mu.Lock()
	if r.degraded == nil {
		r.degraded = map[string]string{}
	}
	_, known := r.degraded[network]
	r.degraded[network] = fmt.Sprintf("%s failed; it goes on on the CPU until the next start", r.device)
	r.mu.Unlock()
	if !known && r.device.Fell != nil {
		r.device.Fell(network, r.device.String(), why)
	}
}

// Degraded tells which networks run on the CPU though they were set to run elsewhere: by name, in words that anybody may read.
func (r *Runtime) Degraded() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.degraded)
}

// Device is what networks of this runtime run on.
func (r *Runtime) Device() Device { return r.device }
