package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	folders, unknown := 0, []string(nil)
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		folders++
		class := o.class(entry.Name())
		if class == "" && (o.Numbered || !isExpression(entry.Name())) {
			unknown = append(unknown, entry.Name())
			continue
		}
		inside, bad := readClass(filepath.Join(path, entry.Name()), class)
		err = errors.Join(err, bad)
		if class == "" {
			leftOut += len(inside)
			continue
		}
		pictures = append(pictures, inside...)
	}
	switch {
	case folders == 0:
		return nil, 0, fmt.Errorf("read data set %s: it has no folder for a class and no %s; name a folder with a "+
			"subfolder for each of %s",
			path, votesFile, strings.Join(o.Labels, ", "))
	case len(unknown) > 0:
		hint := ""
		if _, bad := strconv.Atoi(unknown[0]); bad == nil && !o.Numbered {
			hint = "; with numbered folders, numbers stand for them in this order, from 0"
		}
		return nil, 0, fmt.Errorf("read data set %s: no class is named %q; the classes are %s%s", path, unknown,
			strings.Join(o.Labels, ", "), hint)
	}
	return pictures, leftOut, err
}

func (o Options) class(folder string) string {
	if !o.Numbered {
		return ClassOf(folder, o.Labels)
	}
	if i, err := strconv.Atoi(folder); err == nil && i >= 0 && i < len(o.Labels) {
		return o.Labels[i]
	}
	return ""
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
