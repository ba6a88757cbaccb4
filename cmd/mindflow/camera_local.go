package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/camera"
)

// analyse labels the camera's frames here.
func analyse(ctx context.Context, how *cameraFlags, device camera.Device, show *readout) (err error) {
	settings.ProbeAuto(ctx, &how.engine)
	e, err := engine.Open(how.engine.Alone())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	f := startFeed(ctx, device, how.capture, show)
	defer func() { err = errors.Join(err, f.close()) }()

	analyzer := e.NewAnalyzer()
	for seq := uint64(1); ; seq++ {
		frame, ok := f.next(ctx)
		if !ok {
			return ctx.Err()
		}
		m := pipeline.Message{V: pipeline.Version, Seq: seq}
		if err := analyzer.Analyze(ctx, &m, frame); err != nil {
			return fmt.Errorf("analyse: %w", err)
		}
		m.Dropped = f.dropped()
		m.MS.Total = float64(time.Since(frame.Arrived).Microseconds()) / 1000
		if err := show.message(&m, frame.Arrived.Sub(f.began)); err != nil {
			return err
		}
	}
}
