package ort

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

// hold loads a shared object for good. It returns 0, or 1 and the reason, which is valid until the next call of the
// linker.
static int hold(const char *name, const char **why)
{
	if (dlopen(name, RTLD_LAZY | RTLD_GLOBAL))
		return 0;
	*why = dlerror();
	return 1;
}
*/
import "C"

import (
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"unsafe"
)

// ProviderFile returns the file with a provider of the library at path, or "" where the library itself contains it.
func ProviderFile(path, provider string) string {
	names := map[string]string{CUDA: "cuda", TensorRT: "tensorrt", OpenVINO: "openvino"}
	if names[provider] == "" {
		return ""
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return filepath.Join(filepath.Dir(path), "libonnxruntime_providers_"+names[provider]+".so")
}

// Needs returns the shared objects that the file needs, such as libcudart.so.13.
func Needs(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ImportedLibraries()
}

// Load loads a shared object into this process for good, by its name or path. The error is that of the linker.
func Load(name string) error {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	runtime.LockOSThread() // the linker's last error belongs to the thread
	defer runtime.UnlockOSThread()
	var why *C.char
	if C.hold(text, &why) != 0 {
		return errors.New(C.GoString(why))
	}
	return nil
}

// preload loads the shared objects that a provider needs from the folder of the library, where "make gpu" puts them:
// the linker does not search there. Loading the provider reports those that are missing.
func preload(library, provider string) {
	file := ProviderFile(library, provider)
	needs, err := Needs(file)
	if err != nil {
		return
	}
	if provider == TensorRT { // which falls back to CUDA's provider
		more, err := Needs(ProviderFile(library, CUDA))
		if err != nil {
			return
		}
		needs = append(needs, more...)
	}
	for range 3 { // they depend on one another
		needs = slices.DeleteFunc(needs, func(name string) bool {
			path := filepath.Join(filepath.Dir(file), name)
			if _, err := os.Stat(path); err != nil {
				return true
			}
			return Load(path) == nil
		})
	}
}

// Missing returns the shared objects that a provider of the library at path needs and that cannot be loaded, with the
// errors of the linker.
func Missing(path, provider string) (names []string, why []error) {
	preload(path, provider)
	needs, err := Needs(ProviderFile(path, provider))
	if err != nil {
		return nil, []error{err}
	}
	for _, name := range needs {
		if err := Load(name); err != nil {
			names, why = append(names, name), append(why, err)
		}
	}
	return names, why
}
