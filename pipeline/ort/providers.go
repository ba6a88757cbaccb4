package ort

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// The binding cannot list the library's execution providers. The C API is a table of functions that only grows at its
// end, so these indices hold for all later releases.
enum { API_VERSION = 3, RELEASE_STATUS = 93, GET_PROVIDERS = 125, RELEASE_PROVIDERS = 126 };

struct api_base {
	void *const *(*api)(uint32_t version);
	const char *(*version)(void);
};

static void *const *api(const char *library)
{
	void *loaded = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
	if (!loaded)
		return NULL;
	const struct api_base *(*base)(void) = (const struct api_base *(*)(void))dlsym(loaded, "OrtGetApiBase");
	void *const *found = base ? base()->api(API_VERSION) : NULL;
	dlclose(loaded); // the binding holds it open
	return found;
}

// providers sets *names, which release_providers frees, and returns their number, or -1 on failure.
static int providers(void *const *api, char ***names)
{
	int count = 0;
	void *status = ((void *(*)(char ***, int *))api[GET_PROVIDERS])(names, &count);
	if (!status)
		return count;
	((void (*)(void *))api[RELEASE_STATUS])(status);
	return -1;
}

static void release_providers(void *const *api, char **names, int count)
{
	void *status = ((void *(*)(char **, int))api[RELEASE_PROVIDERS])(names, count);
	if (status)
		((void (*)(void *))api[RELEASE_STATUS])(status);
}
*/
import "C"

import (
	"errors"
	"strings"
	"unsafe"
)

// Providers returns the execution providers that the library was built with, the fastest first, such as CUDA and CPU. A
// provider may still lack the files or the device that it needs.
func (r *Runtime) Providers() ([]string, error) {
	library := C.CString(r.library)
	defer C.free(unsafe.Pointer(library))
	api := C.api(library)
	if api == nil {
		return nil, errors.New("list execution providers: the library has no C API")
	}
	var names **C.char
	count := C.providers(api, &names)
	if count < 0 {
		return nil, errors.New("list execution providers: the library failed")
	}
	defer C.release_providers(api, names, count)
	list := make([]string, count)
	for i, name := range unsafe.Slice(names, int(count)) {
		list[i] = strings.TrimSuffix(C.GoString(name), "ExecutionProvider")
	}
	return list, nil
}
