package ort

import (
	"fmt"
	"maps"
)

// noteFallback records that the network of this name runs on the CPU instead of the device.
func (r *Runtime) noteFallback(network string, why error) {
	r.mu.Lock()
	if r.degraded == nil {
		r.degraded = map[string]string{}
	}
	_, known := r.degraded[network]
	r.degraded[network] = fmt.Sprintf("%s failed; it goes on on the CPU until the next start", r.device)
	r.mu.Unlock()
	if !known && r.device.OnFallback != nil {
		r.device.OnFallback(network, r.device.String(), why)
	}
}

// Degraded returns the networks that run on the CPU instead of the device: the reason by name, in words for operators.
func (r *Runtime) Degraded() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.degraded)
}

// Device returns the device that networks run on.
func (r *Runtime) Device() Device { return r.device }
