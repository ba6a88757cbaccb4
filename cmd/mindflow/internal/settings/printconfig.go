package settings

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// PrintConfig writes the settings of fs as a settings file, with the source of each in a comment.
func PrintConfig(out io.Writer, fs *flag.FlagSet, from Sources) (err error) {
	var text bytes.Buffer
	fs.VisitAll(func(f *flag.Flag) {
		if err != nil || f.Name == configFlag || f.Name == PrintFlag {
			return
		}
		var line []byte
		if line, err = setting(f); err != nil {
			return
		}
		source := from[f.Name]
		if source == "" {
			source = "default"
		}
		if s, ok := f.Value.(*Secret); ok && *s != "" {
			line = fmt.Appendf(nil, "# %s is set and not shown;", f.Name)
		}
		fmt.Fprintf(&text, "%s # %.200s\n", bytes.TrimSpace(line), oneLine(source))
	})
	if err != nil {
		return err
	}
	_, err = text.WriteTo(out)
	return err
}

// setting returns a flag as a line of TOML.
func setting(f *flag.Flag) ([]byte, error) {
	value := kind(f)
	switch v := value.(type) {
	case time.Duration:
		value = v.String()
	case []string:
		value = append([]string{}, v...) // a nil list would be left out
	}
	if text := f.Value.String(); !utf8.ValidString(text) {
		return nil, fmt.Errorf("--%s %q: a settings file holds UTF-8 only", f.Name, text)
	}
	line, err := toml.Marshal(map[string]any{f.Name: value})
	if err != nil {
		return nil, fmt.Errorf("print --%s: %w", f.Name, err)
	}
	return line, nil
}

// oneLine returns text that cannot end a comment: the name of a file may hold anything.
func oneLine(text string) string {
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}
