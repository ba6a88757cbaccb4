package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Root returns the project's folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// MediaDir returns the folder of test media: MINDFLOW_TESTDATA, or shared/media beside the project. ok is false where
// there is none, as in most clones of the project.
func MediaDir() (dir string, ok bool) {
	dir = os.Getenv("MINDFLOW_TESTDATA")
	if dir == "" {
		dir = filepath.Join(Root(), "..", "shared", "media")
	}
	info, err := os.Stat(dir)
	return dir, err == nil && info.IsDir()
}

// Clip returns a video with a face that changes its expression: that of the test media, or one made of photographs of
// the npm package @vladmandic/face-api.
func Clip(t testing.TB) string {
	t.Helper()
	if dir, ok := MediaDir(); ok {
		return filepath.Join(dir, "woman-distress-to-laugh.mp4")
	}
	photos, err := filepath.Glob(filepath.Join(Root(), "node_modules", "@vladmandic", "face-api", "demo",
		"sample*.jpg"))
	if err != nil || len(photos) == 0 {
		t.Skip("no test media: set MINDFLOW_TESTDATA, or run make test, which installs npm's @vladmandic/face-api")
	}
	out := filepath.Join(t.TempDir(), "clip.mp4")
	args := []string{"-loglevel", "error", "-framerate", "1/3", "-pattern_type", "glob", "-i",
		filepath.Join(filepath.Dir(photos[0]), "sample*.jpg"), "-vf",
		"scale=640:360:force_original_aspect_ratio=decrease,pad=640:360:-1:-1,format=yuv420p", "-r", "24", out}
	if text, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("make a clip: %v: %s", err, text)
	}
	return out
}
