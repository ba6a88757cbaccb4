package throughput

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"mindflow/pipeline/ort"
)

// meter measures the energy that a device uses. stop returns zero where it is unknown.
type meter struct {
	stop func(took time.Duration) (joule float64)
}

// startMeter starts a meter: by NVIDIA's driver, or by the processor's counters (RAPL).
func (p Plan) startMeter(ctx context.Context, device string) meter {
	on, err := ort.ParseDevice(device)
	switch {
	case err == nil && (on.Provider == ort.CUDA || on.Provider == ort.TensorRT):
		return startWatts(ctx, func(ctx context.Context) (string, error) {
			out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=power.draw",
				"--format=csv,noheader,nounits", "-i", strconv.Itoa(on.Index)).Output()
			return string(out), err
		})
	case err == nil && on.Provider == ort.CPU:
		return startCounter("/sys/class/powercap")
	}
	return meter{func(time.Duration) float64 { return 0 }}
}

// startCounter reads RAPL's counters of whole processors (packages), in microjoule, under root.
func startCounter(root string) meter {
	before := counters(root)
	return meter{func(time.Duration) (joule float64) {
		after := counters(root)
		for path, began := range before {
			ended, there := after[path]
			if !there {
				return 0
			}
			if ended.at < began.at { // it wraps
				ended.at += began.most
			}
			joule += (ended.at - began.at) / 1e6
		}
		return joule
	}}
}

type counter struct{ at, most float64 }

func counters(root string) map[string]counter {
	found := map[string]counter{}
	paths, _ := filepath.Glob(filepath.Join(root, "intel-rapl:?")) // it fails only for an invalid pattern
	for _, path := range paths {
		at, err := number(filepath.Join(path, "energy_uj"))
		if err != nil { // only root may read it
			continue
		}
		most, err := number(filepath.Join(path, "max_energy_range_uj"))
		if err != nil {
			continue
		}
		found[path] = counter{at, most}
	}
	return found
}

func number(path string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
}

// betweenWatts is the interval of startWatts' samples.
const betweenWatts = 100 * time.Millisecond

// startWatts samples the power, in watts.
func startWatts(ctx context.Context, ask func(context.Context) (string, error)) meter {
	ctx, end := context.WithCancel(ctx)
	var work sync.WaitGroup
	var sum, samples float64
	work.Add(1)
	go func() {
		defer work.Done()
		for ctx.Err() == nil {
			text, err := ask(ctx)
			if err != nil {
				return
			}
			watts, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				return // [N/A]: this GPU does not report it
			}
			sum, samples = sum+watts, samples+1
			select {
			case <-ctx.Done():
			case <-time.After(betweenWatts):
			}
		}
	}()
	return meter{func(took time.Duration) float64 {
		end()
		work.Wait()
		if samples == 0 {
			return 0
		}
		return sum / samples * took.Seconds()
	}}
}
