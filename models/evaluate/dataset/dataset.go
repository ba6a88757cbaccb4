// Package dataset lists the pictures of faces whose expression is known: in folders named after their
// classes, or in FER+'s layout.
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
	Class string // one of the labels asked for
	Read  func() ([]byte, error)
}

// Options say how a set is read.
type Options struct {
	Labels   []string // the classes
	Rule     Rule     // FER+: which votes make a class
	Split    string   // FER+: the part of a whole set, such as Valid for the folder FER2013Valid
	Numbered bool     // folders are named after the labels' places, from 0
}

// Read lists the pictures at path: a folder with a folder a class, a folder of FER+ (label.csv and its
// pictures), a folder or .tar.gz with FER+'s splits. They come in the order of their names or of label.csv.
// Pictures of expressions that labels lack, such as contempt with seven, are left out and counted in leftOut.
func Read(path string, o Options) (pictures []Picture, leftOut int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set: %w", err)
	}
	split := "FER2013" + o.Split
	switch {
	case !info.IsDir():
		if name := strings.ToLower(path); !strings.HasSuffix(name, ".tar.gz") && !strings.HasSuffix(name, ".tgz") {
			return nil, 0, fmt.Errorf("read data set %s: it is a file; name a folder with a subfolder for each "+
				"class, or FER+ as a folder or .tar.gz", path)
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
