// Package doctor checks whether this machine can run Mindflow with given settings.
package doctor

import (
	"context"
	"errors"
	"strings"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline/camera"
	"mindflow/pipeline/field"
)

// States of what a check looked at.
const (
	OK      = "ok"
	Warning = "warning" // works, with a limit
	Failure = "failure" // serve would not start, or would not analyse faces
)

// Result is what one check found.
type Result struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Cure   string `json:"cure"` // what to do now; empty where nothing is wrong
}

// examine makes all checks and reports each result as it comes. It opens ONNX Runtime, which a process opens once, and
// binds the ports for a moment. The error is ctx's.
func examine(ctx context.Context, s *settings.Serve, report func(Result)) error {
	sound := true // nothing that inference needs has failed
	needed := func(r Result) {
		sound = sound && r.Status != Failure
		report(r)
	}
	checks := []func(){
		func() { needed(library(s.Engine.Library)) },
		func() { devices(s.Engine, needed) },
		func() { modelFiles(s.Engine, needed) },
		func() { inference(ctx, s.Engine, sound, report) },
		func() { decoders(s.MaxPixels, report) },
		func() { report(hardware(s.Decode)) },
		func() { report(encoder()) },
		func() { report(openCV()) },
		func() { report(httpPort(s.Server.Listen)) },
		func() { report(visitors(s.Server.Listen, s.TLS.On(), s.Access)) },
		func() { operators(s.Admin, report) },
		func() { report(mediaPort(s.Server.Media)) },
		func() { report(addresses(s.Server.Media)) },
		func() { remoteAccess(ctx, s, report) },
		func() { report(browsers(s.Server.Listen, s.TLS.On())) },
		func() { report(cameras(camera.Devices())) },
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

// failed returns the result of an error. Errors of ours end in what to do, after a semicolon; cure is for those that do
// not.
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
