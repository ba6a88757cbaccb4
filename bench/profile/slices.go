package profile

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

// slice is the length of one profile. Profiles follow one another, so that those can be chosen afterwards that lie
// within the time that the load test counted, which begins when its sessions are connected.
const slice = 2 * time.Second

// cut is one profile of a slice.
type cut struct {
	from, to time.Time // of the request and of its response
	profile  *profile.Profile
}

// collect takes profiles of the server whose operators' port is at address, until stop, which returns them.
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
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return c, err
	}
	c.from = time.Now()
	response, err := http.DefaultClient.Do(request)
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

// measured holds the sums over the profiles of a load test.
type measured struct {
	merged   *profile.Profile
	time     [shares]time.Duration // of processors, by share
	duration time.Duration         // that was profiled
	kernel   float64               // seconds of processor time a second, as the kernel counts them
	frames   float64               // sent in that duration
	labels   float64               // received in that duration
	period   time.Duration         // that one sample stands for
}

// evaluate sums up the profiles that lie within the time that the load test counted.
func evaluate(cuts []cut, result *loadtest.Result, usage []process.Usage) (*measured, error) {
	counted := time.Duration(result.Seconds * float64(time.Second))
	over := result.Began.Add(counted)
	m := &measured{kernel: process.Load(process.Within(usage, result.Began, counted))}
	var inside []*profile.Profile
	for _, c := range cuts {
		if c.from.Before(result.Began) || c.to.After(over) {
			continue
		}
		inside = append(inside, c.profile)
		m.duration += time.Duration(c.profile.DurationNanos)
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
	part := m.duration.Seconds() / result.Seconds
	m.frames = float64(result.Sent) * part
	m.period = time.Duration(m.merged.Period)
	m.labels = result.Overall.Rate * float64(len(result.Sessions)) * m.duration.Seconds()
	return m, nil
}

// keep writes the merged profile to a file.
func (m *measured) keep(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return m.merged.Write(file)
}
