package dataset

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mindflow/models"
	"mindflow/pipeline/field"
)

// synonyms has the words that data sets use for each class.
var synonyms = [][]string{
	{"neutral", "neutrality"},
	{"happy", "happiness", "joy"},
	{"sad", "sadness"},
	{"surprise", "surprised"},
	{"fear", "fearful", "afraid", "scared"},
	{"disgust", "disgusted"},
	{"anger", "angry"},
	{"contempt", "contemptuous"},
}

// ClassOf returns the label for a word of any case, or "".
func ClassOf(word string, labels []string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	same := []string{word}
	for _, words := range synonyms {
		if slices.Contains(words, word) {
			same = words
		}
	}
	for _, label := range labels {
		if slices.Contains(same, strings.ToLower(label)) {
			return label
		}
	}
	return ""
}

// isExpression reports whether data sets use the word for a class, of the model or not.
func isExpression(word string) bool { return ClassOf(word, slices.Concat(synonyms...)) != "" }

// readFolders lists the files of a folder for each class, without hidden files. leftOut is the number of files of other
// expressions.
func readFolders(path string, o Options) (pictures []Picture, leftOut int, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set: %w", err)
	}
	numbered, err := o.numbering()
	if err != nil {
		return nil, 0, err
	}
	folders, unknown := []string(nil), []string(nil)
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		folders = append(folders, name)
		word := name
		if numbered != nil {
			word = numbered[name]
		}
		class := ClassOf(word, o.Labels)
		if class == "" && !isExpression(word) {
			unknown = append(unknown, name)
			continue
		}
		inside, bad := readClass(filepath.Join(path, name), class)
		err = errors.Join(err, bad)
		if class == "" {
			leftOut += len(inside)
			continue
		}
		pictures = append(pictures, inside...)
	}
	switch {
	case len(folders) == 0:
		return nil, 0, fmt.Errorf("read data set %s: it has no folder for a class and no %s; name a folder with a "+
			"subfolder for each of %s",
			path, votesFile, strings.Join(o.Labels, ", "))
	case numbered["0"] != "" && !slices.Contains(folders, "0") && slices.Contains(folders, strconv.Itoa(len(folders))):
		return nil, 0, field.Valuef("Numbered", o.Numbered, "the folders of %s count from 1, and this order from 0; "+
			"RAF-DB's order is %s. If no picture shows %s, make an empty folder 0", path, models.RAFDB, numbered["0"])
	case len(unknown) > 0 && numbered != nil:
		return nil, 0, field.Valuef("Numbered", o.Numbered,
			"the folders %q of %s stand for no class; the numbers are %s",
			unknown, path, strings.Join(slices.Sorted(maps.Keys(numbered)), ", "))
	case len(unknown) > 0:
		hint := ""
		if _, bad := strconv.Atoi(unknown[0]); bad == nil {
			hint = fmt.Sprintf("; say what the numbers mean: %s", strings.Join(Numberings(), ", "))
		}
		return nil, 0, fmt.Errorf("read data set %s: no class is named %q; the classes are %s%s", path, unknown,
			strings.Join(o.Labels, ", "), hint)
	}
	return pictures, leftOut, err
}

func readClass(path, class string) (pictures []Picture, err error) {
	files, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read data set: %w", err)
	}
	for _, file := range files {
		if !file.IsDir() && !strings.HasPrefix(file.Name(), ".") {
			pictures = append(pictures, onDisk(filepath.Join(path, file.Name()), class))
		}
	}
	return pictures, nil
}

func onDisk(path, class string) Picture {
	return Picture{path, class, func() ([]byte, error) { return os.ReadFile(path) }}
}
