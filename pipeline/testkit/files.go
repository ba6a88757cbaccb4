package testkit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// File returns the path of a file that is not committed. It skips the test where the file is missing; cure says how to
// get it.
func File(t testing.TB, path, cure string) string {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is missing; %s", path, cure)
	} else if err != nil {
		t.Fatal(err)
	}
	return path
}

// ORTLibrary returns the path of ONNX Runtime as npm installs it, or the one that MINDFLOW_ORT_LIB names. It skips the
// test where there is none.
func ORTLibrary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("MINDFLOW_ORT_LIB")
	if path == "" {
		arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
		path = filepath.Join(Root(), "node_modules", "onnxruntime-node", "bin", "napi-v6", runtime.GOOS, arch,
			"libonnxruntime.so.1")
	}
	return File(t, path, `run "make build", or name a library in MINDFLOW_ORT_LIB`)
}

// SharedFile returns the path of a file for development beside the test media, by its folders and name. It skips the
// test where it is missing.
func SharedFile(t testing.TB, parts ...string) string {
	t.Helper()
	media, _ := MediaDir()
	return File(t, filepath.Join(append([]string{media, ".."}, parts...)...),
		"name the folder of test media in MINDFLOW_TESTDATA")
}

// EqualShare returns the share of elements, from 0 to 1, that are equal in a and b. b is at least as long as a.
func EqualShare(a, b []string) float64 {
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / float64(len(a))
}
