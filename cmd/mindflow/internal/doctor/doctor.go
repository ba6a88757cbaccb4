// Package doctor examines whether this machine can run Mindflow with given settings.
package doctor

import (
	"context"
	"errors"
	"strings"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/models/engine"
	"mindflow/pipeline/camera"
	"mindflow/pipeline/field"
)

// States of what was examined.
const (
	OK      = "ok"
	Warning = "warning" // works, with something to know
	Failure = "failure" // serve would not start, or would not read faces
)

// Result is what one check found.
type Result struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Cure   string `json:"cure"` // what to do now; empty when all is well
}

// Setup is what would run.
type Setup struct {
	Listen    string // HTTP address, host:port
	Media     string // UDP address of all media
	Admin     string // HTTP address for operators; empty is none
	MaxPixels int    // of a frame
	Decoder   string // device that decodes video, such as cuda; empty is none
	Named     bool   // the settings name that device
	Engine    engine.Settings
	Reach     Reach
	Keys      bool // visitors have to show a token
	Open      bool // it was said that they need none
}

// Examine makes all checks and tells each result as it comes. It opens ONNX Runtime, which a process
// has once, and binds the ports for a moment. The error is ctx's.
func Examine(ctx context.Context, s Setup, tell func(Result)) error {
	sound := true // what inference needs
	needed := func(r Result) {
		sound = sound && r.Status != Failure
		tell(r)
	}
	checks := []func(){
		func() { needed(library(s.Engine.Library)) },
		func() { devices(s.Engine, needed) },
		func() { modelFiles(s.Engine, needed) },
		func() { inference(ctx, s.Engine, sound, tell) },
		func() { decoders(s.MaxPixels, tell) },
		func() { tell(hardware(s.Decoder, s.Named)) },
		func() { tell(encoder()) },
		func() { tell(openCV()) },
		func() { tell(httpPort(s.Listen)) },
		func() { tell(visitors(s)) },
		func() { operators(s.Admin, tell) },
		func() { tell(mediaPort(s.Media)) },
		func() { tell(addresses(s.Media)) },
		func() { reach(ctx, s, tell) },
		func() { tell(browsers(s.Listen, s.Reach.https())) },
		func() { tell(cameras(camera.Devices())) },
	}
	for _, check := range checks {
		if err := ctx.Err(); err != nil {
			return err
		}
		check()
	}
	return nil
}

func ok(check, detail string) Result { return Result{check, OK, detail, ""} }

// failed makes a result of an error. Our errors end in what to do, after a semicolon; cure is for those
// that do not.
func failed(check string, err error, cure string) Result {
	var at *field.Error
	named := errors.As(err, &at) && strings.Contains(cure, "--") // the cure has the flag
	if named {
		err = at.Err
	}
	detail := strings.ReplaceAll(settings.WithFlag(err).Error(), "\n", ", ")
	if i := strings.LastIndex(detail, "; "); i >= 0 {
		if !named {
			cure = detail[i+2:]
		}
		detail = detail[:i]
	}
	return Result{check, Failure, detail, cure}
}
