// Command rewrites measures what the exact rewrites of models/dan save: it runs the graph that they give and
// the network as its authors draw it, on ONNX Runtime with all of its own optimisations, in turns.
//
//	go run ./bench/rewrites -ort-lib bin/lib/libonnxruntime.so.1 -size 224 CHECKPOINT.pth
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mindflow/models/checkpoint"
	"mindflow/models/dan"
	"mindflow/models/engine"
	"mindflow/models/onnx"
	"mindflow/pipeline/ort"
)

func main() {
	settings := engine.PathFlags(flag.CommandLine)
	size := flag.Int("size", 224, "side of the picture, `pixels`")
	rounds := flag.Int("n", 100, "`rounds` to measure")
	flag.Parse()
	if err := run(settings.Library, flag.Arg(0), *size, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "rewrites:", err)
		os.Exit(1)
	}
}

func run(library, path string, size, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "rewrites")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	files, heads, classes, err := graphs(path, dir)
	if err != nil {
		return err
	}
	drawn, built := dan.Costs(heads, classes, size)
	fmt.Printf("%s, %d by %[2]d pixels, one thread, medians of %d rounds\n", filepath.Base(path), size, rounds)
	fmt.Printf("| | million parameters | billion multiplications |\n|---|---|---|\n| as drawn | %.2f | %.3f |\n| rewritten | %.2f | %.3f |\n\n",
		float64(drawn.Parameters)/1e6, float64(drawn.MACs)/1e9, float64(built.Parameters)/1e6, float64(built.MACs)/1e9)
	rt, err := ort.Open(library)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	fmt.Printf("| faces at once | ms as drawn | ms rewritten | saved | largest difference |\n|---|---|---|---|---|\n")
	for _, faces := range []int{1, 4} {
		if err := measure(rt, files, faces, size, rounds); err != nil {
			return err
		}
	}
	return nil
}

// graphs writes both graphs of a checkpoint: as drawn, rewritten.
func graphs(path, dir string) (files [2]string, heads, classes int, err error) {
	f, err := checkpoint.Open(path)
	if err != nil {
		return files, 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if heads, classes, err = dan.Inspect(f.Shapes(), f.Unfit()); err != nil {
		return files, 0, 0, err
	}
	tensors, err := f.Read(context.Background())
	if err != nil {
		return files, 0, 0, err
	}
	rewritten, _, err := dan.Build(tensors, dan.FP32)
	if err != nil {
		return files, 0, 0, err
	}
	for i, m := range []*onnx.Model{plainGraph(tensors, heads, classes), rewritten} {
		files[i] = filepath.Join(dir, fmt.Sprintf("%d.onnx", i))
		if err := os.WriteFile(files[i], m.Marshal(), 0o600); err != nil {
			return files, 0, 0, err
		}
	}
	return files, heads, classes, nil
}

func measure(rt *ort.Runtime, files [2]string, faces, size, rounds int) (err error) {
	x := ort.Array{Shape: []int64{int64(faces), 3, int64(size), int64(size)}, Data: make([]float32, faces*3*size*size)}
	for i := range x.Data {
		x.Data[i] = float32(math.Sin(0.013 * float64(i%7919)))
	}
	var nets [2]*ort.Network
	for i, file := range files {
		if nets[i], err = rt.NewNetwork(file, "input", []string{"logits", "attention"}, 1); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, nets[i].Close()) }()
	}
	var times [2][]float64
	var outputs [2][]ort.Array
	for range rounds + 3 { // the first lay out memory
		for i, net := range nets {
			began := time.Now()
			if outputs[i], err = net.Run(x); err != nil {
				return err
			}
			times[i] = append(times[i], time.Since(began).Seconds()*1000)
		}
	}
	worst := 0.0
	for k, want := range outputs[0] {
		for i, w := range want.Data {
			d := math.Abs(float64(outputs[1][k].Data[i]-w)) / math.Max(1, math.Abs(float64(w)))
			worst = math.Max(worst, d)
		}
	}
	drawn, rewritten := median(times[0][3:]), median(times[1][3:])
	fmt.Printf("| %d | %.2f | %.2f | %.0f %% | %.1g |\n", faces, drawn, rewritten, 100*(1-rewritten/drawn), worst)
	return nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
