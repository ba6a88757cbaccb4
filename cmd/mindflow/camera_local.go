package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mindflow/models/engine"
	"mindflow/pipeline"
	"mindflow/pipeline/camera"
)

// analyse labels the camera's frames here.
func analyse(ctx context.Context, how *cameraFlags, device camera.Device, settings engine.Settings, show *readout) (err error) {
	tryAuto(ctx, &settings)
	e, err := engine.Open(settings.Alone())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	f := startFeed(ctx, device, how.settings, show)
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
