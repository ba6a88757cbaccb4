package settings

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mindflow.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// printConfig runs what `mindflow serve --print-config` runs.
func printConfig(t *testing.T, out io.Writer, args ...string) error {
	t.Helper()
	fs := NewFlags("serve")
	s := ServeFlags(fs)
	c := Command{Flags: fs, Run: func(_ context.Context, call Call, out io.Writer) error {
		if err := s.Check(); err != nil {
			return err
		}
		if err := s.Access.CheckAccess(s.Server.Listen, call.From); err != nil {
			return err
		}
		return PrintConfig(out, fs, call.From)
	}}
	return c.Execute(t.Context(), args, []string{"rate", "csv"}, out) // some of another command
}

// printed is what `mindflow serve --print-config` prints, a line a setting.
func printed(t *testing.T, args ...string) map[string]string {
	t.Helper()
	var out bytes.Buffer
	if err := printConfig(t, &out, args...); err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for line := range strings.Lines(out.String()) {
		key, _, _ := strings.Cut(line, " = ")
		lines[key] = strings.TrimSpace(line)
	}
	return lines
}

// TestPrecedence: a flag beats the environment, which beats the file, which beats the default.
func TestPrecedence(t *testing.T) {
	inFile := []string{"max-sessions = 4", `smoothing = "1s"`, `listen = "127.0.0.1:4"`,
		`allow-origin = ["https://a.example", "https://b.example"]`}
	cases := []struct {
		name             string
		file, flag, with bool // where the settings stand; with: in the environment
		want             []string
	}{
		{"default", false, false, false, []string{"max-sessions = 16 # default", `smoothing = "300ms" # default`,
			`listen = "127.0.0.1:8080" # default`, "allow-origin = [] # default"}},
		{"file", true, false, false, []string{"max-sessions = 4 # FILE", `smoothing = "1s" # FILE`,
			`listen = "127.0.0.1:4" # FILE`, `allow-origin = ["https://a.example", "https://b.example"] # FILE`}},
		{"environment", false, false, true, []string{"max-sessions = 3 # MINDFLOW_MAX_SESSIONS",
			`smoothing = "2s" # MINDFLOW_SMOOTHING`, `listen = "127.0.0.1:3" # MINDFLOW_LISTEN`,
			`allow-origin = ["https://c.example"] # MINDFLOW_ALLOW_ORIGIN`}},
		{"environment and file", true, false, true, []string{"max-sessions = 3 # MINDFLOW_MAX_SESSIONS",
			`smoothing = "2s" # MINDFLOW_SMOOTHING`, `listen = "127.0.0.1:3" # MINDFLOW_LISTEN`,
			`allow-origin = ["https://c.example"] # MINDFLOW_ALLOW_ORIGIN`}},
		{"all", true, true, true, []string{"max-sessions = 2 # --max-sessions", `smoothing = "3s" # --smoothing`,
			`listen = "127.0.0.1:2" # --listen`, `allow-origin = ["https://d.example"] # --allow-origin`}},
		{"flag and file", true, true, false, []string{"max-sessions = 2 # --max-sessions",
			`smoothing = "3s" # --smoothing`, `listen = "127.0.0.1:2" # --listen`,
			`allow-origin = ["https://d.example"] # --allow-origin`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var args []string
			path := ""
			if c.file {
				path = settingsFile(t, strings.Join(inFile, "\n"))
				args = append(args, "--config", path)
			}
			if c.with {
				t.Setenv("MINDFLOW_MAX_SESSIONS", "3")
				t.Setenv("MINDFLOW_SMOOTHING", "2s")
				t.Setenv("MINDFLOW_LISTEN", "127.0.0.1:3")
				t.Setenv("MINDFLOW_ALLOW_ORIGIN", "https://c.example")
			}
			if c.flag {
				args = append(args, "--max-sessions", "2", "--smoothing", "3s", "--listen", "127.0.0.1:2",
					"--allow-origin", "https://d.example")
			}
			lines := printed(t, args...)
			for _, want := range c.want {
				key, _, _ := strings.Cut(want, " = ")
				if want = strings.ReplaceAll(want, "FILE", path); lines[key] != want {
					t.Errorf("got %q, want %q", lines[key], want)
				}
			}
		})
	}
}

// TestConfigFromEnvironment: the environment may name the file, and --config "" names no file.
func TestConfigFromEnvironment(t *testing.T) {
	t.Setenv("MINDFLOW_CONFIG", settingsFile(t, "threads = 7"))
	if got := printed(t)["threads"]; !strings.HasPrefix(got, "threads = 7 #") {
		t.Errorf("got %q", got)
	}
	if got := printed(t, "--config", "")["threads"]; got != "threads = 1 # default" {
		t.Errorf("got %q", got)
	}
}

// TestPrintConfigRoundTrip: a settings file with the printed settings gives the same settings.
func TestPrintConfigRoundTrip(t *testing.T) {
	args := []string{"--max-sessions", "2", "--smoothing", "1.5s", "--models", "/a folder/with \"quotes\"\nand\tmore " +
		"# \\ ü",
		"--allow-origin", "https://a.example, https://b.example", "--listen", ""}
	want := printed(t, args...)
	var text strings.Builder
	for _, line := range want {
		text.WriteString(line + "\n")
	}
	path := settingsFile(t, text.String())
	got := printed(t, "--config", path)
	if len(got) != len(want) || len(want) < 10 {
		t.Errorf("%d settings became %d", len(want), len(got))
	}
	for key, line := range want {
		value := line[:strings.LastIndex(line, " # ")]
		if got[key] != value+" # "+path {
			t.Errorf("%s came back as %s", value, got[key])
		}
	}
}

func TestConfigFaults(t *testing.T) {
	cases := []struct {
		text string
		want []string // in the error; none: it is accepted
	}{
		{"rate = 5\ncsv = true\nmax-sessions = 2", nil}, // some of another command
		{"", nil},
		{"max-sesions = 4", []string{`unknown key "max-sesions"`, "nearest: max-sessions"}},
		{"[serve]\nlisten = ':1'",
			[]string{`unknown key "serve", a table; settings stand in none: delete the line [serve]`}},
		{"[[serve]]\nlisten = ':1'", []string{`unknown key "serve", a table`}},
		{"config = 'more.toml'", []string{`unknown key "config"`}},
		{"print-config = true", []string{`unknown key "print-config"`}},
		{`max-sessions = "4"`, []string{`max-sessions = "4"`, "a whole number"}},
		{"max-sessions = 4.5", []string{"max-sessions = 4.5", "a whole number"}},
		{"max-sessions = 9223372036854775807", nil},
		{"smoothing = 300", []string{"smoothing = 300", `"300ms"`}},
		{`smoothing = "long"`, []string{`smoothing = "long"`, `"300ms"`}},
		{"listen = 8080", []string{"listen = 8080", "text in quotes"}},
		{"listen = ['a']", []string{"listen = [a]", "text in quotes"}},
		{"listen = {port = 1}", []string{"listen = map[port:1]", "text in quotes"}},
		{`allow-origin = "https://a.example"`, nil},
		{"allow-origin = 1", []string{"allow-origin = 1", `["one", "two"]`}},
		{"allow-origin = ['a', 1]", []string{"allow-origin = [a 1]", `["one", "two"]`}},
		{"max-sessions = 0", []string{"--max-sessions 0", "1 or more"}}, // by the same check as flags
		{"max-per-address = 0\nmax-waiting = 0\nmax-wait = '0s'\nmin-labels = 0\ntrusted-proxy = ['127.0.0.1', " +
			"'10.0.0.0/8']", nil},
		{"max-per-address = -1", []string{"--max-per-address -1", "0 or more"}},
		{"max-per-key = -1", []string{"--max-per-key -1", "0 or more"}},
		{"max-waiting = -1", []string{"--max-waiting -1", "0 or more"}},
		{"max-waiting = 1000000", []string{"--max-waiting 1000000", "100000 or fewer"}},
		{"max-wait = '-1s'", []string{"--max-wait -1s", "1s or more"}},
		{"max-session-time = '10ms'", []string{"--max-session-time 10ms", "1s or more"}},
		{"min-labels = -1", []string{"--min-labels -1", "0 to 1000"}},
		{"trusted-proxy = 'proxy.example'", []string{"--trusted-proxy", "proxy.example", "10.0.0.0/8"}},
		{"max-side = 0\nmax-framerate = 0", nil},
		{"max-side = 15", []string{"--max-side 15", "16 or more, or 0"}},
		{"max-framerate = -1", []string{"--max-framerate -1", "1 or more, or 0"}},
		{"max-framerate = 7.5", []string{"max-framerate = 7.5", "a whole number"}},
		{"codecs = ['VP9', 'VP8']", nil},
		{"codecs = ['VP9', 'VP7']", []string{"--codecs VP7", "VP8"}},
		{"codecs = ['VP9', 'VP9']", []string{"--codecs VP9", "twice"}},
		{"allow-origin = ['*', 'http://a.example:8080']", nil},
		{"allow-origin = 'https://a.example/'", []string{"--allow-origin https://a.example/:",
			"such as https://example.org"}},
		{"allow-origin = 'a.example'", []string{"--allow-origin a.example:"}},
		{"frame-ancestors = ['self', 'https://a.example']", nil},
		{"frame-ancestors = 'none'", nil},
		{"frame-ancestors = '*'", nil},
		{"frame-ancestors = ['none', 'https://a.example']", []string{"--frame-ancestors none: name nothing beside it"}},
		{"frame-ancestors = 'https://a.example/page'", []string{"--frame-ancestors https://a.example/page:",
			"such as https://example.org"}},
		{"frame-ancestors = 'https://a.example;script-src'",
			[]string{"--frame-ancestors https://a.example;script-src:"}},
		{"threads = 900", []string{"--threads 900", "1 to 256"}},
		{"threads =", []string{"not TOML", "line 1"}},
		{"threads = 1\nthreads = 2", []string{"not TOML", "line 2"}},
		{strings.Repeat("#", maxFile+1), []string{"more than 16384 bytes"}},
		{"x = " + strings.Repeat("[", maxFile-4), []string{"not TOML"}},
		{"a1 = 1\na2 = 1\na3 = 1\na4 = 1\na5 = 1\na6 = 1\na7 = 1\na8 = 1\na9 = 1\nb1 = 1\nb2 = 1\n",
			[]string{`"a9"`, "and 1 more"}},
		{strings.Repeat("a.", 2000) + "a = 1", []string{`unknown key "a"`}},
		{"lisen = 1\nthread = 2", []string{"nearest: listen", "nearest: threads"}},
	}
	for _, c := range cases {
		path := settingsFile(t, c.text)
		err := printConfig(t, &bytes.Buffer{}, "--config", path)
		if c.want == nil && err != nil {
			t.Errorf("%.40q: %v", c.text, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.40q: error %.200v does not say %q", c.text, err, want)
			}
		}
		if err != nil && !strings.HasPrefix(err.Error(), "--") && !strings.Contains(err.Error(), path) {
			t.Errorf("%.40q: error %.200v does not name the file", c.text, err)
		}
	}
}

func TestConfigUnreadable(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none.toml"), t.TempDir()} {
		err := printConfig(t, &bytes.Buffer{}, "--config", path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestUnknownVariable(t *testing.T) {
	cases := []struct{ name, want string }{ // "": it is known
		{"MINDFLOW_MAX_SESIONS", "nearest: MINDFLOW_MAX_SESSIONS"},
		{"MINDFLOW_CONFG", "nearest: MINDFLOW_CONFIG"},
		{"MINDFLOW_PRINT_CONFIG", "MINDFLOW_PRINT_CONFIG in the environment is no setting"},
		{"MINDFLOW_RATE", ""}, // of another command
		{"MINDFLOW_TESTDATA", ""},
		{"MINDFLOW_SCREENSHOTS", ""},
		{"MINDFLOW_ROUNDS", ""},
		{"MINDFLOW_SEED", ""},
		{"MINDFLOW_MODELS", ""},
		{"MINDFLOW_ORT_LIB", ""},
		{"XMINDFLOW_OTHER", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.name, "5")
			err := printConfig(t, &bytes.Buffer{})
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(),
				c.name)) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
}
