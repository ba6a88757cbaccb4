package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/BurntSushi/toml"

	"mindflow/models"
)

// suggest returns a hint at the key of known that is nearest to name.
func suggest[T any](name string, known map[string]T) string {
	best := models.Nearest(name, slices.Sorted(maps.Keys(known)), 1)
	if len(best) == 0 {
		return ""
	}
	return "; nearest: " + best[0]
}

// maxFile bounds a settings file, in bytes: the parser needs quadratic time for nested tables.
const maxFile = 16 << 10

// fromFile sets the flags that have no source yet from the TOML file at path.
func fromFile(fs *flag.FlagSet, from Sources, known []string, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("settings file: %w; correct --config or MINDFLOW_CONFIG", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return fmt.Errorf("settings file: %w", err)
	}
	return fromText(fs, from, known, path, text)
}

// fromText is fromFile for the text of the file at path. The error has a line for each faulty key.
func fromText(fs *flag.FlagSet, from Sources, known []string, path string, text []byte) error {
	if len(text) > maxFile {
		return fmt.Errorf("settings file %s: more than %d bytes", path, maxFile)
	}
	var values map[string]any
	if _, err := toml.Decode(string(text), &values); err != nil {
		return fmt.Errorf("settings file %s: not TOML: %w", path, err)
	}
	isKnown := map[string]bool{}
	for _, name := range known {
		isKnown[name] = true
	}
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(values)) {
		f := fs.Lookup(key)
		switch {
		case !isKnown[key] && isTable(values[key]):
			faults = append(faults, fmt.Errorf("settings file %s: unknown key %.60q, a table; settings stand in none: "+
				"delete the line [%.60s]", path, key, key))
		case !isKnown[key]:
			faults = append(faults, fmt.Errorf("settings file %s: unknown key %.60q%s", path, key,
				suggest(key, isKnown)))
		case f != nil && from[key] == "":
			from[key] = path
			if err := set(f, values[key]); err != nil {
				faults = append(faults, fmt.Errorf("settings file %s: %s = %w", path, key, err))
			}
		}
	}
	if len(faults) > maxFaults {
		faults = append(faults[:maxFaults], fmt.Errorf("settings file %s: and %d more", path, len(faults)-maxFaults))
	}
	return errors.Join(faults...)
}

func isTable(value any) bool {
	switch value.(type) {
	case map[string]any, []map[string]any:
		return true
	}
	return false
}

// maxFaults is how many faults an error lists: a file of another kind has thousands.
const maxFaults = 10

// set sets a flag to a value of TOML of the flag's type: "4" is no number.
func set(f *flag.Flag, value any) error {
	texts, want := []string(nil), ""
	switch kind(f).(type) {
	case bool:
		want = "true or false"
		if v, ok := value.(bool); ok {
			texts = []string{strconv.FormatBool(v)}
		}
	case int:
		want = "a whole number"
		if v, ok := value.(int64); ok {
			texts = []string{strconv.FormatInt(v, 10)}
		}
	case float64:
		want = "a number"
		switch v := value.(type) {
		case int64:
			texts = []string{strconv.FormatInt(v, 10)}
		case float64:
			texts = []string{strconv.FormatFloat(v, 'g', -1, 64)}
		}
	case time.Duration:
		want = `a time in quotes, such as "300ms"`
		texts = quoted(value)
	case []string:
		want = `a list, such as ["one", "two"]`
		switch v := value.(type) {
		case []any:
			texts = quoted(v...)
		case string: // one
			texts = []string{v}
		}
	default:
		want = "text in quotes"
		texts = quoted(value)
	}
	if _, ok := f.Value.(*Secret); ok && texts == nil {
		return fmt.Errorf("… is not %s", want)
	}
	if texts == nil {
		return fmt.Errorf("%s is not %s", shown(value), want)
	}
	for _, text := range texts {
		if err := f.Value.Set(text); err != nil {
			return fmt.Errorf("%s is not %s: %w", shown(value), want, err)
		}
	}
	return nil
}

// kind returns the value of a flag in its own type.
func kind(f *flag.Flag) any {
	if g, ok := f.Value.(flag.Getter); ok {
		return g.Get()
	}
	return f.Value.String()
}

// quoted returns values as strings, or nil unless all are strings.
func quoted(values ...any) []string {
	texts := []string{}
	for _, v := range values {
		text, ok := v.(string)
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}

// shown returns a value of TOML, cut to what fits in a message.
func shown(value any) string {
	if text, ok := value.(string); ok {
		value = strconv.Quote(text)
	}
	return fmt.Sprintf("%.60s", fmt.Sprint(value))
}
