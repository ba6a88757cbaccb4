package engine

import (
	"os/exec"
	"strings"
	"testing"
)

// A program that loads models needs neither OpenCV nor the drivers of cameras.
func TestNeedsNeitherOpenCVNorCameras(t *testing.T) {
	list, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skip("go list:", err)
	}
	for dependency := range strings.Lines(string(list)) {
		for _, heavy := range []string{"gocv.io/", "github.com/pion/", "mindflow/pipeline/vision",
			"mindflow/pipeline/camera"} {
			if strings.HasPrefix(dependency, heavy) {
				t.Errorf("the engine depends on %s", strings.TrimSpace(dependency))
			}
		}
	}
}
