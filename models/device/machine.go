// Package device chooses what networks run on, and says why what was asked for cannot be had.
package device

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mindflow/pipeline/ort"
)

// Findings are what a device needs of this machine, as it was found.
type Findings struct {
	Library      string   // ONNX Runtime's
	ProviderFile string   // beside it; "" where the library holds the provider itself
	NoProvider   bool     // that file is not there
	Missing      []string // shared objects that the file needs and that cannot be loaded; looked for by Look only

	Node   bool   // the kernel shows a GPU: of NVIDIA's for CUDA and TensorRT, of anybody's for the others
	Driver string // NVIDIA's release, such as 580.65.06; "" without

	Loader  error    // why Vulkan's loader cannot be loaded; looked for by Look only
	Drivers []string // files that state Vulkan drivers
	Pointed bool     // the environment names Vulkan drivers
}

// Glance looks without loading anything, which takes less than a millisecond.
func Glance(library string, d ort.Device) Findings {
	f := Findings{Library: library, ProviderFile: ort.ProviderFile(library, d.Provider), Driver: NVIDIADriver()}
	if f.ProviderFile != "" {
		_, err := os.Stat(f.ProviderFile)
		f.NoProvider = err != nil
	}
	f.Drivers, f.Pointed = vulkanDrivers()
	nodes := []string{"/dev/nvidiactl", "/dev/dxg"} // the latter is Windows' GPU under WSL
	if d.Provider != ort.CUDA && d.Provider != ort.TensorRT {
		nodes = append(nodes, "/dev/dri/renderD*")
	}
	f.Node = slices.ContainsFunc(nodes, func(pattern string) bool { return len(glob(pattern)) > 0 })
	return f
}

// Look is Glance and loads the shared objects that the device needs into this process.
func Look(library string, d ort.Device) Findings {
	f := Glance(library, d)
	if f.ProviderFile != "" && !f.NoProvider {
		f.Missing, _ = ort.Missing(library, d.Provider)
	}
	if d.Provider == ort.WebGPU {
		f.Loader = ort.Load("libvulkan.so.1")
	}
	return f
}

// glob gives the files of a pattern that is right.
func glob(pattern string) []string {
	files, _ := filepath.Glob(pattern) // the only error is a wrong pattern
	return files
}

var release = regexp.MustCompile(`\b\d{3}\.\d+(\.\d+)?\b`)

// NVIDIADriver is the release of NVIDIA's kernel module, or "" where none is loaded.
func NVIDIADriver() string {
	text, err := os.ReadFile("/proc/driver/nvidia/version")
	if err != nil {
		return ""
	}
	return release.FindString(string(text))
}

// vulkanDrivers lists the files by which Vulkan's loader finds drivers (ICDs), and whether the environment names them.
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

// Wanted says which releases of NVIDIA's software shared objects belong to, such as "CUDA 13" for libcudart.so.13.
func Wanted(needs []string) string {
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
