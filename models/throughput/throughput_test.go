package throughput

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mindflow/models/engine"
	"mindflow/pipeline/ort"
	"mindflow/pipeline/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// shipped are the settings of what "make build" puts in place.
func shipped(t *testing.T) engine.Settings {
	t.Helper()
	s := engine.Default()
	bin := filepath.Join("..", "..", "bin")
	s.Models, s.Library = filepath.Join(bin, "models"), filepath.Join(bin, "lib", "libonnxruntime.so.1")
	for _, path := range []string{s.Library, filepath.Join(s.Models, "dan-ferplus.onnx")} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			t.Skipf(`%s is not there; run "make build"`, path)
		}
	}
	return s
}

// The CPU measured against itself: whatever the times, its answers are the same, and the work for a face is known.
func TestRun(t *testing.T) {
	var said []string
	r, err := Run(t.Context(),
		Plan{Engine: shipped(t), Batches: []int{1, 3}, Precisions: []string{"fp32", "fp12"}, Time: time.Millisecond,
			Progress: func(text string) { said = append(said, text) }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Device != "cpu" || r.Model != "dan-ferplus" || r.Flops < 7e8 || r.Flops > 9e8 || len(r.Rows) != 2 ||
		len(said) < 5 {
		t.Fatalf("%+v %q", r, said)
	}
	for i, row := range r.Rows {
		if row.Batch != []int{1, 3}[i] || row.Median <= 0 || row.P95 < row.Median || row.Alone <= 0 ||
			row.Together <= 0 || row.InFlight < 1 || row.Apart > 1e-5 || row.Same < 0.99 || row.Share <= 0 {
			t.Errorf("%+v", row)
		}
	}
	if len(r.Skipped) != 1 || r.Skipped[0].Precision != "fp12" || len(r.Limits) != 1 || r.Limits[0].Gflops <= 0 {
		t.Errorf("%+v %+v", r.Skipped, r.Limits)
	}
	var table bytes.Buffer
	if err := r.Table(&table); err != nil || strings.Count(table.String(), "\n| cpu | fp32 |") != 2 ||
		!strings.Contains(table.String(), "fp12 skipped: ") {
		t.Errorf("%v\n%s", err, table.String())
	}
}

func TestRunWithoutDevice(t *testing.T) {
	s := shipped(t)
	s.Device.Name = "coreml"
	_, err := Run(t.Context(), Plan{Engine: s, Batches: []int{1}, Precisions: []string{"fp32"}, Time: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "coreml") {
		t.Error(err)
	}
}

// The other matrix is its own inverse, so an even number of products gives the matrix back: what is timed is computed.
func TestProducts(t *testing.T) {
	loaded, err := ort.Open(shipped(t).Library)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	for precision, tolerance := range map[string]float64{engine.FP32: 1e-5, engine.FP16: 2e-2} {
		const side = 64
		path := filepath.Join(t.TempDir(), "products.onnx")
		if err := os.WriteFile(path, products(side, precision).Marshal(), 0o600); err != nil {
			t.Fatal(err)
		}
		net, err := loaded.NewNetwork(path, "row", []string{"mean"}, 1)
		if err != nil {
			t.Fatal(err)
		}
		x := ort.Array{Shape: []int64{1, side}, Data: make([]float32, side)}
		x.Data[0], x.Data[1] = 3, 1
		got, err := net.Run(x)
		if err := errors.Join(err, net.Close()); err != nil {
			t.Fatal(err)
		}
		// The mean of the first column, which is of equal numbers, and of all others, which cancel.
		for i, v := range got[0].Data {
			want := 0.0
			if i == 0 {
				want = 3 / math.Sqrt(side)
			}
			if math.Abs(float64(v)-want) > tolerance {
				t.Errorf("%s: column %d: %g, want %g", precision, i, v, want)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	apart, same := compare([][]float64{{0.9, 0.1}, {0.4, 0.6}}, [][]float64{{0.8, 0.2}, {0.6, 0.4}})
	if math.Abs(apart-0.2) > 1e-9 || same != 0.5 {
		t.Error(apart, same)
	}
	if apart, _ := compare([][]float64{{math.NaN(), 0.1}}, [][]float64{{0.8, 0.2}}); !math.IsNaN(apart) {
		t.Error(apart)
	}
}

// Counters of two processors, one of which wraps, and one that may not be read.
func TestCounter(t *testing.T) {
	root := t.TempDir()
	write := func(name, at string) {
		folder := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(folder, 0o755),
			os.WriteFile(filepath.Join(folder, "energy_uj"), []byte(at+"\n"), 0o600),
			os.WriteFile(filepath.Join(folder, "max_energy_range_uj"), []byte("10000000\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("intel-rapl:0", "1000000")
	write("intel-rapl:1", "9000000")
	if err := os.MkdirAll(filepath.Join(root, "intel-rapl:2"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := startCounter(root)
	write("intel-rapl:0", "3500000")
	write("intel-rapl:1", "1000000")
	if joule := m.stop(time.Second); joule != 4.5 {
		t.Error(joule)
	}
	if joule := startCounter(t.TempDir()).stop(time.Second); joule != 0 {
		t.Error(joule)
	}
}

func TestWatts(t *testing.T) {
	asked := make(chan struct{}, 100)
	m := startWatts(t.Context(), func(context.Context) (string, error) {
		asked <- struct{}{}
		return "250.5\n", nil
	})
	<-asked
	<-asked // so that one is counted
	if joule := m.stop(2 * time.Second); joule != 501 {
		t.Error(joule)
	}
	for _, bad := range []struct {
		text string
		err  error
	}{{"[N/A]", nil}, {"", errors.New("no nvidia-smi")}} {
		m := startWatts(t.Context(), func(context.Context) (string, error) { return bad.text, bad.err })
		if joule := m.stop(time.Second); joule != 0 {
			t.Error(joule)
		}
	}
}
