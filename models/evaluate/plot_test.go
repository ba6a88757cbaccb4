package evaluate

import (
	"image/png"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Two that draw to one file at the same time leave one of the drawings, whole, and nothing else.
func TestPlotsToOneFile(t *testing.T) {
	confusion := NewConfusion([]string{"happy", "sad"})
	confusion.Add(0, []float32{0.9, 0.1})
	r := &Result{Report: confusion.Report()}
	dir := t.TempDir()
	file := filepath.Join(dir, "matrix.png")
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 5 {
				if err := Plot(file, r, "model"); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	drawing, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer drawing.Close()
	if _, err := png.Decode(drawing); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}
