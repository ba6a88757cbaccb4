package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
)

// TestStartFailures: a server that cannot start prints one line with the cure, and its exit code is 1.
func TestStartFailures(t *testing.T) {
	engine := clitest.EngineArgs(t)
	models, library := engine[1], engine[3]
	exe := clitest.Binary(t)
	taken, media := clitest.UsedPorts(t)
	cases := []struct {
		name string
		args []string
		env  string
		want []string
	}{
		{"model missing", []string{"serve", "--models", t.TempDir(), "--ort-lib", library}, "",
			[]string{"face_detection_back_256x256_barracuda.onnx is missing", "make build"}},
		{"model altered", []string{"serve", "--models", clitest.AlteredModels(t, models), "--ort-lib", library}, "",
			[]string{"dan-ferplus.onnx was altered", "make build"}},
		{"runtime missing", []string{"serve", "--models", models, "--ort-lib", "/nowhere/lib.so"}, "",
			[]string{"/nowhere/lib.so", "make build"}},
		{"not a runtime", []string{"serve", "--models", models, "--ort-lib",
			filepath.Join(models, "dan-ferplus.onnx")}, "", []string{"dan-ferplus.onnx", "1.27"}},
		{"port in use", append([]string{"serve", "--listen", taken}, engine...), "",
			[]string{"in use", "--listen"}},
		{"media port in use", append([]string{"serve", "--listen", "127.0.0.1:0", "--media",
			media}, engine...), "", []string{"in use", "--media"}},
		{"operators' port in use", append([]string{"serve", "--admin", taken}, engine...), "",
			[]string{"in use", "--admin"}},
		{"model unknown", append([]string{"serve", "--model", "dan-ferpus"}, engine...), "",
			[]string{"dan-ferpus", "dan-ferplus"}},
		{"bad number in the environment", append([]string{"serve"}, engine...), "MINDFLOW_MAX_FACES=many",
			[]string{"MINDFLOW_MAX_FACES", "many"}},
		{"number out of range", append([]string{"serve", "--threads", "0"}, engine...), "",
			[]string{"--threads 0", "1 to 256"}},
		{"no session", append([]string{"serve", "--max-sessions", "-1"}, engine...), "", []string{"--max-sessions -1",
			"1 or more"}},
		{"no pixel", append([]string{"serve", "--max-pixels", "0"}, engine...), "", []string{"--max-pixels 0",
			"1 or more"}},
		{"stray argument", append([]string{"serve", "now"}, engine...), "", []string{`"now"`, "--help"}},
		{"unknown command", []string{"sevre"}, "", []string{`"sevre"`, "mindflow help"}},
		{"no picture", []string{"image"}, "", []string{"picture"}},
		{"picture unreadable", append([]string{"image", "/nowhere/a.png"}, engine...), "", []string{"/nowhere/a.png",
			"no such file"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), exe, c.args...)
			cmd.Env = append(os.Environ(), c.env)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("exit code %d (%v), want 1", cmd.ProcessState.ExitCode(), err)
			}
			said := strings.TrimSpace(stderr.String())
			if strings.Count(said, "\n") > 0 {
				t.Errorf("more than one line: %s", said)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, want %q in it", said, want)
				}
			}
		})
	}
}

// TestDoctorExitCode: the exit code reports failed checks, and the standard output is JSON.
func TestDoctorExitCode(t *testing.T) {
	exe := clitest.Binary(t)
	for want, args := range map[int][]string{0: nil, 1: {"--models", t.TempDir()}} {
		cmd := exec.CommandContext(t.Context(), exe, slices.Concat([]string{"doctor", "--json"},
			[]string{"--listen", "127.0.0.1:0", "--media", "127.0.0.1:0"}, clitest.EngineArgs(t), args)...)
		out, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != want || !json.Valid(out) {
			t.Errorf("exit code %d, want %d: %s", got, want, out)
		}
	}
}
