// Package dataset lists pictures of faces with known expressions: in folders by class, in FER+'s layout, or in
// FER2013's table.
package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Picture is one picture of a set.
type Picture struct {
	Name  string // path in the set, or on disk
	Class string // one of Options.Labels
	Read  func() ([]byte, error)
}

// Options configures how a set is read.
type Options struct {
	Labels   []string // the classes
	Rule     Rule     // FER+: which votes make a class
	Split    string   // FER+: the part of a complete set, such as Valid for the folder FER2013Valid
	Numbered string   // what the numbers of folders mean; empty if they have names
}

// Read lists the pictures at path: a folder with a folder for each class, a folder of FER+ (label.csv and its
// pictures), a folder or .tar.gz with FER+'s splits, or FER2013's .csv. They are in the order of their names, of
// label.csv or of the table. leftOut is the number of pictures of other expressions, such as contempt with seven
// labels.
func Read(path string, o Options) (pictures []Picture, leftOut int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set: %w", err)
	}
	split := "FER2013" + o.Split
	switch {
	case !info.IsDir() && strings.HasSuffix(strings.ToLower(path), ".csv"):
		pictures, leftOut, err = readFER2013(path, o)
	case !info.IsDir():
		if name := strings.ToLower(path); !strings.HasSuffix(name, ".tar.gz") && !strings.HasSuffix(name, ".tgz") {
			return nil, 0, fmt.Errorf("read data set %s: it is a file; name a folder with a subfolder for each "+
				"class, FER+ as a folder or .tar.gz, or FER2013's .csv", path)
		}
		pictures, leftOut, err = readArchive(path, split, o)
	case exists(filepath.Join(path, votesFile)):
		pictures, leftOut, err = readFERPlus(path, o)
	case exists(filepath.Join(path, split, votesFile)):
		pictures, leftOut, err = readFERPlus(filepath.Join(path, split), o)
	default:
		pictures, leftOut, err = readFolders(path, o)
	}
	if err == nil && len(pictures) == 0 {
		err = fmt.Errorf("read data set %s: no picture with a class in it", path)
	}
	return pictures, leftOut, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
