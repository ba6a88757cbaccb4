package doctor

import (
	"strings"
	"testing"

	"mindflow/models/device"
	"mindflow/pipeline/ort"
)

func TestCheckDevice(t *testing.T) {
	cuda, webgpu := ort.Device{Provider: ort.CUDA}, ort.Device{Provider: ort.WebGPU}
	for _, c := range []struct {
		name   string
		device ort.Device
		found  device.Findings
		named  string
		status string
		detail string
		cured  bool
	}{
		{"all there", webgpu, device.Findings{Node: true, Drivers: []string{"icd.json"}}, "auto", OK,
			"what it needs is there", false},
		{"no GPU", cuda, device.Findings{ProviderFile: "p.so", NoProvider: true, Library: "lib.so"}, "auto", OK,
			"cannot be had: there is no p.so beside lib.so", false},
		{"no GPU, named", cuda, device.Findings{ProviderFile: "p.so", NoProvider: true}, "cuda:1", Failure,
			"cannot be had", true},
		{"a GPU without CUDA", cuda, device.Findings{ProviderFile: "p.so", Missing: []string{"libcudart.so.13"},
			Node: true, Driver: "580.65.06"}, "auto", Warning, "missing libcudart.so.13", true},
		{"an old driver", cuda, device.Findings{ProviderFile: "p.so", Node: true, Driver: "470.57.02"}, "auto",
			Warning, "470.57.02 is too old", true},
		{"no Vulkan driver", webgpu, device.Findings{Node: true}, "auto", OK, "no Vulkan driver", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := checkDevice(c.device, c.found, c.named)
			if r.Status != c.status || !strings.Contains(r.Detail, c.detail) || (r.Cure != "") != c.cured ||
				r.Check != "device "+c.device.String() {
				t.Errorf("%+v", r)
			}
		})
	}
}
