package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mindflow/cmd/mindflow/internal/clitest"
	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/pipeline/testkit"
)

// deployed returns a file of docs/deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testkit.Root(), "docs", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// serves returns the settings that a command line gives `mindflow serve`, which must accept it.
func serves(t *testing.T, args ...string) *settings.Serve {
	t.Helper()
	if len(args) == 0 || args[0] != "serve" {
		t.Fatalf("%q does not serve", args)
	}
	fs := settings.NewFlags("serve")
	s := settings.ServeFlags(fs)
	command := settings.Command{Flags: fs, Run: func(_ context.Context, call settings.Call, _ io.Writer) error {
		if len(call.Args) > 0 {
			t.Errorf("%q has the argument %s", args, call.Args[0])
		}
		return errors.Join(s.Check(), s.Access.CheckAccess(s.Server.Listen, call.From))
	}}
	if err := command.Execute(t.Context(), args[1:], allSettings(), io.Discard); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	return s
}

// listOf parses a list in the form that JSON and YAML share, with variables replaced.
func listOf(t *testing.T, text string) (words []string) {
	t.Helper()
	text = regexp.MustCompile(`\$\{DOMAIN[^}]*\}`).ReplaceAllString(text, "mindflow.example.org")
	text = regexp.MustCompile(`\$\{PUBLIC_IP[^}]*\}`).ReplaceAllString(text, "203.0.113.7")
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return words
}

// found returns the first group of a pattern in a text.
func found(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in\n%s", pattern, text)
	}
	return m[1]
}

func TestDeployUnit(t *testing.T) {
	unit := deployed(t, "mindflow.service")
	command := strings.Fields(found(t, unit, `(?m)^ExecStart=(.*)$`))
	if command[0] != "/opt/mindflow/bin/mindflow" {
		t.Errorf("it starts %s", command[0])
	}
	settings := filepath.Join(testkit.Root(), "docs", "deploy", "mindflow.toml")
	args := strings.Split(strings.ReplaceAll(strings.Join(command[1:], " "), "/etc/mindflow/mindflow.toml", settings),
		" ")
	if s := serves(t, args...); s.Admin == "" || s.Server.Grace.Seconds() > 25 {
		t.Errorf("%q: operators' port %q, grace %v, which TimeoutStopSec has to outlast", args, s.Admin, s.Server.Grace)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze: the unit was not verified")
	}
	copied := filepath.Join(t.TempDir(), "mindflow.service")
	if err := os.WriteFile(copied, []byte(strings.ReplaceAll(unit, command[0], "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	// also prints about other units of the machine
	said, err := exec.Command(analyze, "verify", copied).CombinedOutput()
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "mindflow.service") {
			t.Errorf("%s (%v)", line, err)
		}
	}
	if said, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20",
		copied).CombinedOutput(); err != nil {
		t.Errorf("it is more exposed than 2.0 of 10: %v\n%s", err, said)
	}
}

func TestDeployContainer(t *testing.T) {
	file := deployed(t, "Dockerfile")
	if s := serves(t, listOf(t, found(t, file, `(?m)^CMD (\[.*\])$`))...); !s.Supervise || s.Admin == "" {
		t.Error("it does not supervise, or has no operators' port for the health check")
	}
	health := listOf(t, found(t, file, `(?m)^HEALTHCHECK .* CMD (\[.*\])$`))
	if !slices.ContainsFunc(commands, func(c command) bool { return len(health) > 1 && c.name == health[1] }) {
		t.Errorf("the health check is %q", health)
	}
	if found(t, file, `(?m)^USER (\S+)$`) == "0:0" {
		t.Error("it runs as root")
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(file, -1) {
		for _, name := range strings.Fields(m[1]) {
			if _, err := os.Stat(filepath.Join(testkit.Root(), name)); err != nil {
				t.Errorf("COPY: %v", err)
			}
		}
	}
	compose := deployed(t, "compose.yaml")
	s := serves(t, listOf(t, found(t, compose, `(?m)^ +command: (\[.*\])$`))...)
	ports := listOf(t, found(t, compose, `(?m)^ +ports: (\[.*\])$`))
	for _, want := range []string{"443:443", strings.TrimPrefix(s.Server.Media, ":") + ":8189/udp"} {
		if !slices.Contains(ports, want) {
			t.Errorf("%s is not among the ports %q", want, ports)
		}
	}
}

// TestDeployLibraries: the image has the libraries that the program is linked with, as this test is.
func TestDeployLibraries(t *testing.T) {
	if release, err := os.ReadFile("/etc/os-release"); err != nil || !strings.Contains(string(release),
		`VERSION_ID="12"`) {
		t.Skip("packages are named as in Debian 12")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	libraries, err := program.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(found(t, deployed(t, "Dockerfile"),
		`(?s)install -y --no-install-recommends \\\n(.*?)&&`))
	for _, library := range libraries {
		text, err := exec.Command("dpkg-query", "-S", "*/"+library).Output()
		if err != nil {
			t.Errorf("%s is of no package: %v", library, err)
			continue
		}
		name, _, _ := strings.Cut(string(text), ":")
		if name != "libc6" && name != "libgcc-s1" && !slices.Contains(packages, name) { // those two are everywhere
			t.Errorf("%s of %s is not in the image", library, name)
		}
	}
}

// TestReady: a server that is absent, or is not ours, is an error.
func TestReady(t *testing.T) {
	for _, args := range [][]string{{"ready", "http://" + clitest.FreePort(t)}, {"ready", "a", "b"}, {"ready", "::"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
