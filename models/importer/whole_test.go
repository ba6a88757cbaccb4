package importer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"mindflow/models"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/testkit"
)

// Maps that a message may not hold are left out, so that the model can be loaded.
func TestImportLeavesLargeAttentionOut(t *testing.T) {
	o := options(t, fixture(t, "two-heads"))
	o.Size = 768 // maps of 24 by 24
	var out bytes.Buffer
	if _, err := Import(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	e, path := added(t, o.Models, "two-heads")
	if e.HasAttention() || !strings.Contains(out.String(), "attention    left out") {
		t.Errorf("outputs %+v, and it says\n%s", e.Outputs, out.String())
	}
	rt, err := ort.Open(o.Library)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	c, err := rt.NewClassifier(path, e.Model, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// An import in its usual folder need not name it again; one that is interrupted leaves nothing.
func TestImportAtHome(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	o := options(t, fixture(t, "two-heads"))
	var err error
	if o.Models, err = models.UserFolder(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Import(ctx, o, io.Discard); !errors.Is(err, context.Canceled) ||
		!strings.Contains(err.Error(), "nothing was added") {
		t.Errorf("interrupted, it says %v", err)
	}
	if files := names(t, o.Models); len(files) > 0 {
		t.Errorf("interrupted, it leaves %q", files)
	}
	if e, err := Import(t.Context(), o, io.Discard); err != nil || e.Name != "two-heads" {
		t.Fatal(e.Name, err)
	}
}

// The largest resident memory is that of the whole process, ONNX Runtime included.
func BenchmarkImport(b *testing.B) {
	o := options(b, testkit.SharedFile(b, "models", "dan-ferplus.pth"))
	o.Name, o.Size, o.Grey, o.Replace = "mine", 96, true, true
	for b.Loop() {
		if _, err := Import(b.Context(), o, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used.Maxrss)/1e3, "MB")
}
