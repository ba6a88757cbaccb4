package access

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A token is accepted while the file that was read last contains it.
func TestReloading(t *testing.T) {
	const first, second = "a-token-of-before-xxxxxxx", "a-token-of-afterwards-xxx"
	file := filepath.Join(t.TempDir(), "tokens")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first)
	var said bytes.Buffer
	read := func() (*Authenticator, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if string(text) == "cut" {
			return nil, errors.New("the file is cut short")
		}
		return New(strings.Fields(string(text)), Signed{})
	}
	g, err := Reloading(read, []string{file}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	lets := func(what string, firstValid, secondValid bool) {
		t.Helper()
		for token, want := range map[string]bool{first: firstValid, second: secondValid} {
			if _, err := g.Check([]string{"Bearer " + token}, now); (err == nil) != want {
				t.Errorf("%s: %s: %v", what, token, err)
			}
		}
		if _, err := g.Check(nil, now); err == nil || g.IsOpen() {
			t.Errorf("%s: everybody may in", what)
		}
	}
	lets("at first", true, false)
	write(first + "\n" + second)
	lets("within the second", true, false)
	for _, step := range []struct {
		what, text string
		old, new   bool
		log        string // a word of what is new in it; "" is nothing
	}{
		{"both", first + "\n" + second, true, true, "read again"},
		{"unchanged", first + "\n" + second, true, true, ""},
		{"the old one taken away", second, false, true, "read again"},
		{"cut short", "cut", false, true, "cut short"},
		{"still", "cut", false, true, ""},
		{"emptied", "", false, true, "neither tokens nor keys"},
		{"mended", first, true, false, "read again"},
	} {
		write(step.text)
		if step.log == "" { // writing changes the time
			if err := os.Chtimes(file, now, g.reload.loaded[0].changed); err != nil {
				t.Fatal(err)
			}
		}
		said.Reset()
		now = now.Add(checkInterval)
		lets(step.what, step.old, step.new)
		text := said.String()
		if (text == "") != (step.log == "") || !strings.Contains(text, step.log) || strings.Contains(text, first) {
			t.Errorf("%s: the log says %q", step.what, text)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	now = now.Add(checkInterval)
	lets("gone", true, false)
	if _, err := Reloading(read, []string{file}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("begun without a file")
	}
}
