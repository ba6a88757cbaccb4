// Package profile measures where a running server's processor time goes, in milliseconds a received frame. It publishes
// to a `mindflow serve` from another process and takes Go's CPU profile meanwhile.
package profile

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
)

// goal is the most milliseconds that a frame of 640×480 may take outside libavcodec and ONNX Runtime.
const goal = 1.5

// plan holds what the flags set.
type plan struct {
	process.Inputs
	sessions int
	duration time.Duration
	serve    []string // flags of mindflow serve
}

// Run profiles a server and prints the table of its shares. It fails when a frame takes more than the goal.
func Run(ctx context.Context, flags *flag.FlagSet, args []string) error {
	var p plan
	var write bool
	p.AddFlags(flags)
	file := flags.String("keep", "", "keep the profile in this `file`, for go tool pprof")
	flags.IntVar(&p.sessions, "sessions", 4, "sessions that publish 640x480 at 30 frames a second")
	flags.DurationVar(&p.duration, "duration", 20*time.Second, "time that is measured")
	doctable.AddWriteFlag(flags, &write)
	if err := flags.Parse(args); err != nil {
		return err
	}
	p.serve = flags.Args()
	if p.sessions < 1 || p.duration < 3*slice {
		return fmt.Errorf("use -sessions of 1 or more, -duration of %v or more", 3*slice)
	}
	command := doctable.Command("profile", p.serve, "-sessions", strconv.Itoa(p.sessions))
	head := fmt.Sprintf("%s, %s; %d sessions, %v.\n\n",
		doctable.Measured(command), doctable.Load(), p.sessions, p.duration)
	m, err := p.measure(ctx)
	if err != nil {
		return err
	}
	text := head + m.table()
	fmt.Print(text)
	if *file != "" {
		if err := m.keep(*file); err != nil {
			return err
		}
	}
	if write {
		if err := doctable.Write("profile", text); err != nil {
			return err
		}
	}
	if ms := m.outside(); ms > goal {
		return fmt.Errorf("a frame takes %.2f ms outside libavcodec and ONNX Runtime, the goal is %.1f", ms, goal)
	}
	return nil
}

// measure profiles a new server.
func (p *plan) measure(ctx context.Context) (m *measured, err error) {
	if err := p.CheckClip(); err != nil {
		return nil, err
	}
	flags := append([]string{"--admin", "127.0.0.1:0", "--max-sessions", strconv.Itoa(p.sessions)}, p.serve...)
	err = process.WithServer(ctx, p.Binary, flags, func(server *process.Server) error {
		if server.Admin == "" {
			return fmt.Errorf("%s does not log the address of its operators' port", p.Binary)
		}
		stop := collect(ctx, server.Admin)
		result, usage, err := server.LoadTest(ctx, p.Clip, p.sessions, p.duration)
		profiles, failed := stop()
		if err != nil {
			return err
		}
		if failed != nil {
			return errors.Join(failed, server.Alive())
		}
		m, err = evaluate(profiles, result, usage)
		return err
	})
	return m, err
}
