package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/models/engine"
	"mindflow/pipeline/vision"
)

// Doctor checks whether the machine can run serve with these settings. It returns an error if a check fails.
func Doctor() settings.Command {
	fs := settings.NewFlags("doctor")
	s := settings.ServeFlags(fs)
	asJSON := fs.Bool("json", false, "print one JSON list of {check, status, detail, cure}")
	return settings.Command{Flags: fs, Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
		if len(call.Args) > 0 {
			return fmt.Errorf("doctor takes no argument %q; mindflow doctor --help lists the flags", call.Args[0])
		}
		if err := s.Check(); err != nil {
			return err
		}
		settings.ProbeDevices(ctx, &s.Engine)
		return report(ctx, s, *asJSON, out)
	}}
}

// report makes the checks and prints their results.
func report(ctx context.Context, s *settings.Serve, asJSON bool, out io.Writer) error {
	results, failures := []Result{}, 0
	colour := terminal.Is(out) && os.Getenv("NO_COLOR") == ""
	var printed error
	err := examine(ctx, s, func(r Result) {
		results = append(results, r)
		if r.Status == Failure {
			failures++
		}
		if !asJSON && printed == nil {
			printed = printResult(out, r, colour)
		}
	})
	if err == nil && asJSON {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		printed = lines.Encode(results)
	}
	switch {
	case err != nil:
		return err
	case printed != nil:
		return fmt.Errorf("print results: %w", printed)
	case failures == 1:
		return errors.New("doctor: 1 check failed")
	case failures > 0:
		return fmt.Errorf("doctor: %d checks failed", failures)
	}
	return nil
}

// colours of the terminal, as SGR parameters.
var colours = map[string]string{OK: "32", Warning: "33", Failure: "31"}

func printResult(out io.Writer, r Result, colour bool) error {
	status := fmt.Sprintf("%-7s", r.Status)
	if colour {
		status = "\x1b[" + colours[r.Status] + "m" + status + "\x1b[0m"
	}
	text := fmt.Sprintf("%s  %-20s  %s\n", status, r.Check, r.Detail)
	if r.Cure != "" {
		text += fmt.Sprintf("%31s→ %s\n", "", r.Cure)
	}
	_, err := io.WriteString(out, text)
	return err
}

// ProbeDevice tries a device for the process that started this one, which reads the answer from file 3.
func ProbeDevice() settings.Command {
	fs := flag.NewFlagSet("mindflow "+settings.ProbeCommand, flag.ContinueOnError)
	return settings.Command{Flags: fs, Only: true, Run: func(ctx context.Context, _ settings.Call, _ io.Writer) error {
		answer := os.NewFile(3, "answer")
		if answer == nil {
			return errors.New("probe: no file 3 to answer on; mindflow serve runs this by itself")
		}
		if err := engine.Probe(ctx, os.Stdin, answer, vision.OpenCascade); err != nil {
			return fmt.Errorf("%w; mindflow serve runs this by itself", err)
		}
		return answer.Close()
	}}
}
