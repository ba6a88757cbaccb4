package settings

import (
	"context"

	"mindflow/models/device"
	"mindflow/models/engine"
)

// ProbeCommand is the command that tries a device in a process of its own, since drivers may crash or hang.
const ProbeCommand = "probe-device"

// ProbeDevices makes child processes try devices before s uses them. The end of ctx ends the children.
func ProbeDevices(ctx context.Context, s *engine.Settings) {
	run := device.Child(ProbeCommand)
	s.Device.Child = func(limited context.Context, request []byte) ([]byte, error) {
		limited, stop := context.WithCancel(limited)
		defer stop()
		defer context.AfterFunc(ctx, stop)()
		return run(limited, request)
	}
}

// ProbeAuto is ProbeDevices where the device is to be chosen. A device that is named is used at once.
func ProbeAuto(ctx context.Context, s *engine.Settings) {
	if s.Device.Name == engine.Auto {
		ProbeDevices(ctx, s)
	}
}
