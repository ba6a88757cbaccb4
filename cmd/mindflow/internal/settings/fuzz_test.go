package settings

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"", "max-sessions = 4 # four", `smoothing = "1s"`, `allow-origin = ["a", "b,c", " "]`, `listen = "\u00fc\n"`,
		`media = '''x'''`,
		"threads = 0x10", "threads = 1e3", "[a.b]\nc=1", "[[models]]", "listen = 2001-01-01T00:00:00Z",
		"model = {a.b = [1, {c = 2}]}", "\"max-faces\" = 2", "threads = -nan",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fs := NewFlags("serve")
		ServeFlags(fs)
		if err := fromText(fs, Sources{}, Names(fs), "first", text); err != nil {
			if len(err.Error()) > 4*len(text)+4096 {
				t.Errorf("%d bytes gave an error of %d", len(text), len(err.Error()))
			}
			return
		}
		var first, second bytes.Buffer
		if err := PrintConfig(&first, fs, Sources{}); err != nil {
			t.Fatal(err)
		}
		again := NewFlags("serve")
		ServeFlags(again)
		if err := fromText(again, Sources{}, Names(again), "second", first.Bytes()); err != nil {
			t.Fatalf("what was printed is refused: %v\n%s", err, first.Bytes())
		}
		if err := PrintConfig(&second, again, Sources{}); err != nil || first.String() != second.String() {
			t.Errorf("%v\n%s\nbecame\n%s", err, first.String(), second.String())
		}
	})
}

// FuzzEnvironment sets variables, a line each. What is accepted is printed and read back.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range []string{
		"", "MINDFLOW_MAX_SESSIONS=3\nMINDFLOW_SMOOTHING=2s", "MINDFLOW_ALLOW_ORIGIN=a,b, ,c", "MINDFLOW_THREADS=0x10",
		"MINDFLOW_LISTEN=",
		"MINDFLOW_JSON=maybe", "MINDFLOW_MAX_SESSION=1", "MINDFLOW_", "PATH=/bin", "MINDFLOW_MEDIA=\x00\xff\"'''\\",
		"MINDFLOW_CONFIG=a.toml",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fs := NewFlags("serve")
		ServeFlags(fs)
		if err := fromEnvironment(fs, Sources{}, Names(fs), strings.Split(text, "\n")); err != nil {
			if len(err.Error()) > 300*(strings.Count(text, "\n")+1)+8*len(text) {
				t.Errorf("%d bytes gave an error of %d", len(text), len(err.Error()))
			}
			return
		}
		var first, second bytes.Buffer
		if err := PrintConfig(&first, fs, Sources{}); err != nil {
			if utf8.ValidString(text) { // all that a settings file can hold
				t.Error(err)
			}
			return
		}
		again := NewFlags("serve")
		ServeFlags(again)
		if err := fromText(again, Sources{}, Names(again), "printed", first.Bytes()); err != nil &&
			first.Len() <= maxFile {
			t.Fatalf("what was printed is refused: %v\n%s", err, first.Bytes())
		} else if err != nil {
			return
		}
		if err := PrintConfig(&second, again, Sources{}); err != nil || first.String() != second.String() {
			t.Errorf("%v\n%s\nbecame\n%s", err, first.String(), second.String())
		}
	})
}
