// Package device chooses the device that networks run on, and explains why a device cannot be used.
package device

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mindflow/pipeline/ort"
)

// Findings describes what a device needs of this machine, as it was found.
type Findings struct {
	Library      string   // path of ONNX Runtime
	ProviderFile string   // beside it; empty where the library contains the provider
	NoProvider   bool     // that file is missing
	Missing      []string // shared objects that the file needs and that cannot be loaded; set by InspectLoading only

	Node   bool   // the kernel shows a GPU: an NVIDIA GPU for CUDA and TensorRT, any GPU for the others
	Driver string // release of NVIDIA's driver, such as 580.65.06; empty without one

	Loader  error    // why Vulkan's loader cannot be loaded; set by InspectLoading only
	Drivers []string // files that describe Vulkan drivers
	Named   bool     // the environment names Vulkan drivers
}

// Inspect examines the machine without loading libraries, in less than a millisecond.
func Inspect(library string, d ort.Device) Findings {
	f := Findings{Library: library, ProviderFile: ort.ProviderFile(library, d.Provider), Driver: NVIDIADriver()}
	if f.ProviderFile != "" {
		_, err := os.Stat(f.ProviderFile)
		f.NoProvider = err != nil
	}
	f.Drivers, f.Named = vulkanDrivers()
	nodes := []string{"/dev/nvidiactl", "/dev/dxg"} // the latter is the GPU under WSL on Windows
	if d.Provider != ort.CUDA && d.Provider != ort.TensorRT {
		nodes = append(nodes, "/dev/dri/renderD*")
	}
	f.Node = slices.ContainsFunc(nodes, func(pattern string) bool { return len(glob(pattern)) > 0 })
	return f
}

// InspectLoading is Inspect, and also loads the shared objects that the device needs into this process.
func InspectLoading(library string, d ort.Device) Findings {
	f := Inspect(library, d)
	if f.ProviderFile != "" && !f.NoProvider {
		f.Missing, _ = ort.Missing(library, d.Provider)
	}
	if d.Provider == ort.WebGPU {
		f.Loader = ort.Load("libvulkan.so.1")
	}
	return f
}

// glob returns the files that match a valid pattern.
func glob(pattern string) []string {
	files, _ := filepath.Glob(pattern) // it fails only for an invalid pattern
	return files
}

var release = regexp.MustCompile(`\b\d{3}\.\d+(\.\d+)?\b`)

// NVIDIADriver returns the release of NVIDIA's kernel module, or "" where none is loaded.
func NVIDIADriver() string {
	text, err := os.ReadFile("/proc/driver/nvidia/version")
	if err != nil {
		return ""
	}
	return release.FindString(string(text))
}

// vulkanDrivers returns the files by which Vulkan's loader finds drivers (ICDs), and whether the environment names
// them.
func vulkanDrivers() (files []string, pointed bool) {
	for _, name := range []string{"VK_DRIVER_FILES", "VK_ICD_FILENAMES"} {
		if named := os.Getenv(name); named != "" {
			return filepath.SplitList(named), true
		}
	}
	folders := []string{"/etc", "/usr/local/share", "/usr/share"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".local/share"))
	}
	for _, folder := range folders {
		files = append(files, glob(filepath.Join(folder, "vulkan/icd.d/*.json"))...)
	}
	return files, false
}

// Releases returns the releases of NVIDIA's software that shared objects belong to, such as "CUDA 13" for
// libcudart.so.13.
func Releases(needs []string) string {
	var list []string
	for _, known := range []struct {
		file,
		what string
	}{{"libcudart.so.", "CUDA "}, {"libcudnn.so.", "cuDNN "}, {"libnvinfer.so.", "TensorRT "}} {
		for _, name := range needs {
			if number, found := strings.CutPrefix(name, known.file); found {
				list = append(list, known.what+number)
			}
		}
	}
	return strings.Join(list, ", ")
}
