// Command precision compares imported models, such as one checkpoint in several precisions, on pictures of
// faces in folders named by label. The first model is what the others are held against.
//
//	go run ./bench/precision -models DIR -ort-lib bin/lib/libonnxruntime.so.1 -faces FOLDER fp32 fp16 int8
package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"mindflow/models"
	"mindflow/models/engine"
	"mindflow/models/importer"
	"mindflow/pipeline/ort"
)

func main() {
	settings := engine.PathFlags(flag.CommandLine)
	folder := flag.String("faces", "", "`folder` with a folder of pictures for each label")
	flag.Parse()
	if err := run(*settings, *folder, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "precision:", err)
		os.Exit(1)
	}
}

// model is one of those compared.
type model struct {
	entry models.Entry
	net   *ort.Network
	said  []int // class by face
	times []float64
}

func run(s engine.Settings, folder string, names []string) (err error) {
	manifest, err := models.Load(s.Models)
	if err != nil {
		return err
	}
	rt, err := ort.Open(s.Library)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	var list []*model
	for _, name := range names {
		entry, file, err := engine.Find(manifest, s.Models, name, models.Classify)
		if err != nil {
			return err
		}
		net, err := rt.NewNetwork(file, entry.Input.Name, []string{"logits"}, 1)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, net.Close()) }()
		list = append(list, &model{entry: entry, net: net})
	}
	if len(list) == 0 {
		return errors.New("name the models to compare")
	}
	files, err := importer.FaceFiles(folder, math.MaxInt)
	if err != nil {
		return err
	}
	var labels []string
	for _, path := range files {
		f, err := importer.ReadFace(path, list[0].entry.Input)
		if err != nil {
			return err
		}
		labels = append(labels, f.Label)
		for _, m := range list {
			if err := m.look(f); err != nil {
				return err
			}
		}
	}
	report(list, labels)
	return nil
}

// look classifies a face.
func (m *model) look(f importer.Face) error {
	size := int64(m.entry.Input.Size)
	began := time.Now()
	got, err := m.net.Run(ort.Array{Shape: []int64{1, 3, size, size}, Data: f.Crop})
	if err != nil {
		return fmt.Errorf("%s: %w", m.entry.Name, err)
	}
	m.times = append(m.times, time.Since(began).Seconds()*1000)
	logits := got[0].Data
	m.said = append(m.said, slices.Index(logits, slices.Max(logits)))
	return nil
}

func report(list []*model, labels []string) {
	fmt.Printf("%d faces, one thread, medians\n| model | file, MB | accuracy | same label as %s | ms a face |\n|---|---|---|---|---|\n", len(labels), list[0].entry.Name)
	for _, m := range list {
		right, same := 0, 0
		for i, label := range labels {
			if m.entry.Labels[m.said[i]] == label {
				right++
			}
			if m.said[i] == list[0].said[i] {
				same++
			}
		}
		slices.Sort(m.times)
		percent := func(n int) float64 { return 100 * float64(n) / float64(len(labels)) }
		fmt.Printf("| %s | %.1f | %.2f %% | %.2f %% | %.2f |\n", m.entry.Name, float64(m.entry.Bytes)/1e6, percent(right), percent(same), m.times[len(m.times)/2])
	}
}
