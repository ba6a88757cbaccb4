package importer

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/models"
	"mindflow/models/dan"
)

// What is wrong with the new entry is found last. The model that was to be replaced is still whole then.
func TestImportReplacesAtOnce(t *testing.T) {
	o := options(t, fixture(t, "two-heads"))
	own, stale := filepath.Join(o.Models, "two-heads.onnx"), filepath.Join(o.Models, ".two-heads.onnx.part123")
	for _, path := range []string{own, stale} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Import(t.Context(), o, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(own); err != nil { // a file of the user's own, which is let be
		t.Error(err)
	}
	before, _ := added(t, o.Models, "two-heads")
	o.Replace, o.Precision = true, dan.FP16
	o.Labels = []string{"a", "b", "c", "d", "e", "f", "g", ""}
	if _, err := Import(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "labels[7]") {
		t.Fatalf("a label without a name: %v", err)
	}
	if after, _ := added(t, o.Models, "two-heads"); after.SHA256 != before.SHA256 {
		t.Error("the model is another")
	}
	o.Labels = nil
	if _, err := Import(t.Context(), o, io.Discard); err != nil {
		t.Fatal(err)
	}
	after, _ := added(t, o.Models, "two-heads")
	if after.File == before.File {
		t.Errorf("both have the file %s", after.File)
	}
	if removed, err := models.Remove(o.Models, "two-heads"); err != nil || len(removed) != 2 {
		t.Errorf("removed %q, %v", removed, err)
	}
	if files := names(t, o.Models); !slices.Equal(files, nil) {
		t.Errorf("the folder holds %q", files)
	}
}
