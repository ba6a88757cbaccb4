package doctor

import (
	"errors"
	"fmt"
	"strings"

	"mindflow/models/device"
	"mindflow/models/engine"
	"mindflow/pipeline/ort"
)

// devices reports what networks can run on besides the CPU.
func devices(s engine.Settings, report func(Result)) {
	providers, err := providersOf(s.Library)
	if err != nil {
		return // the check of the library reports it
	}
	report(drivers())
	for _, d := range ort.Candidates(providers) {
		report(checkDevice(d, device.InspectLoading(s.Library, d), s.Device.Name))
	}
}

func providersOf(library string) (list []string, err error) {
	loaded, err := ort.Open(library)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, loaded.Close()) }()
	return loaded.Providers()
}

// drivers reports which GPU drivers are installed.
func drivers() Result {
	f := device.InspectLoading("", ort.Device{Provider: ort.WebGPU})
	nvidia := "none of NVIDIA's is loaded"
	if release := device.NVIDIADriver(); release != "" {
		nvidia = "NVIDIA's " + release
	}
	vulkan := "Vulkan's loader is not there"
	if f.Loader == nil {
		vulkan = "Vulkan's loader is there, without a driver"
	}
	if f.Loader == nil && len(f.Drivers) > 0 {
		vulkan = "Vulkan's loader is there, with " + strings.Join(f.Drivers, ", ")
	}
	return ok("GPU drivers", nvidia+"; "+vulkan)
}

// checkDevice reports whether what a device needs is there. What is missing is a failure where the settings name the
// device, and a warning where there is a GPU for it.
func checkDevice(d ort.Device, f device.Findings, named string) Result {
	check := "device " + d.String()
	fault := f.Fault(d)
	if fault == nil {
		return ok(check, "what it needs is there"+provided(f))
	}
	r := ok(check, "cannot be had: "+fault.Cause)
	chosen, _, _ := strings.Cut(named, ":")
	switch {
	case chosen == d.String():
		r.Status, r.Cure = Failure, fault.Cure
	case f.Node && d.Provider == ort.CUDA:
		r.Status, r.Cure = Warning, fault.Cure
	}
	return r
}

func provided(f device.Findings) string {
	if f.ProviderFile == "" {
		return ""
	}
	needs, err := ort.Needs(f.ProviderFile)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(": %s, beside %s", device.Releases(needs), f.ProviderFile)
}
