// Profile says where a running server's processor time goes, in milliseconds a received frame: it starts a
// `mindflow serve`, publishes to it from another process and takes Go's CPU profile meanwhile.
//
//	go run ./bench/profile [FLAGS] [-- FLAGS OF SERVE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"mindflow/bench/doctable"
	"mindflow/bench/process"
)

// goal is what may be spent outside of libavcodec and ONNX Runtime on a frame of 640x480, in milliseconds.
const goal = 1.5

// plan is what the flags say.
type plan struct {
	binary, clip, keep string
	sessions           int
	duration           time.Duration
	write              bool
	serve              []string
}

func main() {
	process.Main("profile", func(ctx context.Context) error {
		var p plan
		flag.StringVar(&p.binary, "binary", process.Binary(), "mindflow, a `file`")
		flag.StringVar(&p.clip, "clip", process.Clip(), "video `file` with a face")
		flag.StringVar(&p.keep, "keep", "", "keep the profile in this `file`, for go tool pprof")
		flag.IntVar(&p.sessions, "sessions", 4, "sessions that publish 640x480 at 30 frames a second")
		flag.DurationVar(&p.duration, "duration", 20*time.Second, "time that is measured")
		flag.BoolVar(&p.write, "write", false, "write the table into "+doctable.Name)
		flag.Parse()
		p.serve = flag.Args()
		if p.sessions < 1 || p.duration < 3*slice {
			return fmt.Errorf("use -sessions of 1 or more, -duration of %v or more", 3*slice)
		}
		return p.run(ctx)
	})
}

func (p *plan) run(ctx context.Context) error {
	head := fmt.Sprintf("%s, %s; %d sessions, %v.\n\n", doctable.Measured(p.command()), doctable.Busy(), p.sessions, p.duration)
	m, err := p.measure(ctx)
	if err != nil {
		return err
	}
	text := head + m.table()
	fmt.Print(text)
	if p.keep != "" {
		if err := m.keep(p.keep); err != nil {
			return err
		}
	}
	if p.write {
		if err := doctable.Write("profile", text); err != nil {
			return err
		}
	}
	if ms := m.outside(); ms > goal {
		return fmt.Errorf("%.2f ms a frame are spent outside libavcodec and ONNX Runtime, the goal is %.1f", ms, goal)
	}
	return nil
}

func (p *plan) command() string {
	text := fmt.Sprintf("go run ./bench/profile -sessions %d", p.sessions)
	if len(p.serve) > 0 {
		text += " -- " + strings.Join(p.serve, " ")
	}
	return text
}

// measure profiles a server of its own.
func (p *plan) measure(ctx context.Context) (m *measured, err error) {
	if _, err := os.Stat(p.clip); err != nil {
		return nil, fmt.Errorf("%w; name a video of a face by -clip", err)
	}
	flags := []string{"--admin", "127.0.0.1:0", "--max-sessions", strconv.Itoa(p.sessions)}
	server, err := process.Serve(ctx, p.binary, append(flags, p.serve...)...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if failed := server.Stop(); err == nil {
			err = failed
		}
	}()
	if server.Admin == "" {
		return nil, fmt.Errorf("%s does not say where its profiles are", p.binary)
	}
	watched, profiled := server.Watch(), collect(ctx, server.Admin)
	result, err := process.LoadTest(ctx, p.binary, server.URL, p.clip, p.sessions, p.duration)
	seen := watched()
	slices, failed := profiled()
	if result == nil || ctx.Err() != nil {
		return nil, errors.Join(err, server.Alive())
	}
	if len(result.Failed) > 0 {
		return nil, fmt.Errorf("%d sessions failed: %v", len(result.Failed), result.Failed[0])
	}
	if failed != nil {
		return nil, errors.Join(failed, server.Alive())
	}
	return evaluate(slices, result, seen)
}
