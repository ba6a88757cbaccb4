package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/google/pprof/profile"

	"mindflow/bench/process"
	"mindflow/server/loadtest"
)

// slice is the length of a profile. One follows the other, so that those can be chosen afterwards that lie within the
// time that the load test counted, which begins when its sessions stand.
const slice = 2 * time.Second

// cut is a profile of a time.
type cut struct {
	from, to time.Time // in which it was asked for and came
	profile  *profile.Profile
}

// collect takes profiles of the server at an address until stop, which gives them.
func collect(ctx context.Context, address string) (stop func() ([]cut, error)) {
	ctx, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	var cuts []cut
	go func() {
		for {
			c, err := fetch(ctx, address)
			if ctx.Err() != nil {
				err = nil
			} else if err == nil {
				cuts = append(cuts, c)
				continue
			}
			done <- err
			return
		}
	}()
	return func() ([]cut, error) {
		end()
		err := <-done
		return cuts, err
	}
}

func fetch(ctx context.Context, address string) (c cut, err error) {
	url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", address, int(slice.Seconds()))
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return c, err
	}
	c.from = time.Now()
	response, err := http.DefaultClient.Do(ask)
	if err != nil {
		return c, fmt.Errorf("fetch a profile: %w", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	c.to = time.Now()
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", response.Status, data)
	}
	if err == nil {
		c.profile, err = profile.ParseData(data)
	}
	if err != nil {
		return c, fmt.Errorf("fetch a profile: %w", err)
	}
	return c, nil
}

// measured is what the profiles of a time come to.
type measured struct {
	merged *profile.Profile
	time   [shares]time.Duration // of processors, by share
	long   time.Duration         // that was profiled
	kernel float64               // seconds of processors a second, by the kernel
	frames float64               // that were sent meanwhile
	labels float64               // that came
	period time.Duration         // that one sample stands for
}

// evaluate uses the profiles that lie within the time that was counted.
func evaluate(cuts []cut, result *loadtest.Result, seen []process.Usage) (*measured, error) {
	counted := time.Duration(result.Seconds * float64(time.Second))
	over := result.Began.Add(counted)
	m := &measured{kernel: process.Load(process.Within(seen, result.Began, counted))}
	var inside []*profile.Profile
	for _, c := range cuts {
		if c.from.Before(result.Began) || c.to.After(over) {
			continue
		}
		inside = append(inside, c.profile)
		m.long += time.Duration(c.profile.DurationNanos)
	}
	if len(inside) == 0 {
		return nil, errors.New("no profile lies within the time that was counted; use a longer -duration")
	}
	var err error
	if m.merged, err = profile.Merge(inside); err != nil {
		return nil, fmt.Errorf("merge profiles: %w", err)
	}
	value := len(m.merged.SampleType) - 1 // samples/count, then cpu/nanoseconds
	if unit := m.merged.SampleType[value].Unit; unit != "nanoseconds" {
		return nil, fmt.Errorf("the profile is in %s, want nanoseconds of processor time", unit)
	}
	for _, s := range m.merged.Sample {
		m.time[shareOf(s)] += time.Duration(s.Value[value])
	}
	part := m.long.Seconds() / result.Seconds
	m.frames = float64(result.Sent) * part
	m.period = time.Duration(m.merged.Period)
	m.labels = result.Overall.Rate * float64(len(result.Sessions)) * m.long.Seconds()
	return m, nil
}

// keep writes the merged profile.
func (m *measured) keep(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return m.merged.Write(file)
}
