package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"mindflow/models/device"
	"mindflow/models/engine"
	"mindflow/pipeline/vision"
)

// probeCommand tries a device in a process of its own, since drivers may crash or hang.
const probeCommand = "probe-device"

func probe(ctx context.Context, args []string, _ io.Writer) error {
	if err := flag.NewFlagSet("mindflow "+probeCommand, flag.ContinueOnError).Parse(args); err != nil {
		return err
	}
	answer := os.NewFile(3, "answer")
	if answer == nil {
		return errors.New("probe: no file 3 to answer on; mindflow serve runs this by itself")
	}
	if err := engine.Probe(ctx, os.Stdin, answer, vision.OpenCascade); err != nil {
		return fmt.Errorf("%w; mindflow serve runs this by itself", err)
	}
	return answer.Close()
}

// tryDevices has devices tried by children before they are used. ctx ends these.
func tryDevices(ctx context.Context, s *engine.Settings) {
	run := device.Child(probeCommand)
	s.Device.Child = func(limited context.Context, request []byte) ([]byte, error) {
		limited, stop := context.WithCancel(limited)
		defer stop()
		defer context.AfterFunc(ctx, stop)()
		return run(limited, request)
	}
}

// tryAuto is tryDevices where the device is open. One that is named is used at once.
func tryAuto(ctx context.Context, s *engine.Settings) {
	if s.Device.Name == engine.Auto {
		tryDevices(ctx, s)
	}
}
