package serve

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mindflow/pipeline/testkit"
)

func TestRestarts(t *testing.T) {
	const segv = 128 + int(syscall.SIGSEGV)
	type end struct {
		code  int
		lived time.Duration
	}
	for name, row := range map[string]struct {
		ends  []end
		waits []time.Duration // -1 is no other start
	}{
		"said why at the start":  {[]end{{1, time.Second}}, []time.Duration{-1}},
		"said why after a while": {[]end{{1, time.Minute}}, []time.Duration{minBackoff}},
		"a fault a day": {[]end{{segv, 24 * time.Hour}, {segv, 24 * time.Hour}}, []time.Duration{minBackoff,
			minBackoff}},
		"faults at once": {[]end{{segv, 0}, {2, 0}, {segv, time.Second}, {segv, 0}, {segv, 0}},
			[]time.Duration{minBackoff, 2 * minBackoff, 4 * minBackoff, 8 * minBackoff, -1}},
		"a good time between": {[]end{{2, 0}, {2, 0}, {2, minUptime}, {2, 0}}, []time.Duration{minBackoff,
			2 * minBackoff, minBackoff, minBackoff}},
	} {
		var h restarts
		for i, e := range row.ends {
			wait, again := h.next(e.code, e.lived)
			if !again {
				wait = -1
			}
			if wait != row.waits[i] {
				t.Errorf("%s: after end %d it waits %v, want %v", name, i+1, wait, row.waits[i])
			}
		}
	}
}

// supervised runs a shell script. Its $0 is a file of the test.
func supervised(t *testing.T, signals <-chan os.Signal, script string) (file string, log *bytes.Buffer,
	ended <-chan error) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { testkit.NoLeaks(t, before) })
	file, log = filepath.Join(t.TempDir(), "starts"), &bytes.Buffer{}
	done := make(chan error, 1)
	go func() {
		done <- supervisor{
			command: func() *exec.Cmd { return exec.Command("/bin/sh", "-c", script, file) },
			signals: signals,
			log:     slog.New(slog.NewTextHandler(log, nil)),
		}.run()
	}()
	return file, log, done
}

func TestStartsAgain(t *testing.T) {
	file, log, ended := supervised(t, nil, `echo x >> $0; [ $(wc -l < $0) -ge 3 ] || kill -SEGV $$`)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if starts, err := os.ReadFile(file); err != nil || string(starts) != "x\nx\nx\n" {
		t.Errorf("%q, %v", starts, err)
	}
	if n := strings.Count(log.String(), "starting it again"); n != 2 || !strings.Contains(log.String(),
		"segmentation fault") {
		t.Errorf("log: %s", log)
	}
}

// TestGivesUp: a program that prints what is wrong at its start is not restarted. Its exit code is passed on.
func TestGivesUp(t *testing.T) {
	file, _, ended := supervised(t, nil, `echo x >> $0; exit 1`)
	var exit *ExitError
	if err := <-ended; !errors.As(err, &exit) || exit.Code != 1 {
		t.Error(err)
	}
	if starts, err := os.ReadFile(file); err != nil || string(starts) != "x\n" {
		t.Errorf("%q, %v", starts, err)
	}
	absent := supervisor{command: func() *exec.Cmd { return exec.Command("/nowhere/mindflow") },
		log: slog.New(slog.DiscardHandler)}
	if err := absent.run(); err == nil {
		t.Error("what cannot be started was")
	}
}

// TestSignals: signals are passed on to the child, which is then not restarted.
func TestSignals(t *testing.T) {
	for name, row := range map[string]struct {
		script string
		code   int
	}{
		"ends well":  {`trap 'exit 0' TERM; echo x > $0; while :; do sleep 0.02; done`, 0},
		"ends badly": {`trap 'exit 7' TERM; echo x > $0; while :; do sleep 0.02; done`, 7},
		"is ended":   {`echo x > $0; exec sleep 60`, 128 + int(syscall.SIGTERM)},
	} {
		t.Run(name, func(t *testing.T) {
			signals := make(chan os.Signal, 1)
			file, _, ended := supervised(t, signals, row.script)
			for {
				if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			signals <- syscall.SIGTERM
			err := <-ended
			var exit *ExitError
			if row.code == 0 && err != nil || row.code != 0 && (!errors.As(err, &exit) || exit.Code != row.code) {
				t.Errorf("%v, want code %d", err, row.code)
			}
		})
	}
	t.Run("between two starts", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		file, _, ended := supervised(t, signals, `echo x >> $0; exit 3`)
		signals <- syscall.SIGTERM // comes to the first start, or to the pause after it
		var exit *ExitError
		if err := <-ended; !errors.As(err, &exit) || exit.Code == 0 {
			t.Error(err)
		}
		// it may be ended before it writes
		if starts, err := os.ReadFile(file); err == nil && len(starts) > 0 && string(starts) != "x\n" {
			t.Errorf("%q", starts)
		}
	})
}
