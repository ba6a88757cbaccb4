package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"mindflow/pipeline/field"
)

// Rule is the rule by which votes decide a picture's class. Single votes are dropped first, as mistakes.
type Rule string

// Rules of a dataset with several votes a picture.
const (
	Majority  Rule = "majority"  // one of the eight classes has over half of the remaining votes
	Plurality Rule = "plurality" // one of the eight classes has the most votes of all ten columns; the first wins a tie
)

// votesFile is the file with FER+'s votes for each picture of its folder: name, box, and the votes for columns, for
// "unknown" and for "no face".
const votesFile = "label.csv"

// columns are the classes of FER+'s votes, in order.
var columns = []string{"neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"}

// votes is the number of votes at the end of a row: those for columns and two more.
const votes = 10

// vote is a picture and the column it belongs to.
type vote struct{ file, class string }

// readVotes returns the pictures of label.csv that have a class by the rule.
func readVotes(in io.Reader, rule Rule) (list []vote, err error) {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	for line := 1; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", votesFile, err)
		}
		if len(row) <= votes {
			return nil, fmt.Errorf("%s, row %d: %d columns, want a name and %d votes", votesFile, line, len(row), votes)
		}
		if _, err := strconv.Atoi(row[len(row)-1]); err != nil && line == 1 {
			continue // names of the columns
		}
		class, err := decide(row[len(row)-votes:], rule)
		if err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", votesFile, line, err)
		}
		if class != "" {
			list = append(list, vote{row[0], class})
		}
	}
}

// decide returns the class of one picture, or "" where the votes do not decide one.
func decide(row []string, rule Rule) (class string, err error) {
	var counts [votes]int
	total, best := 0, 0
	for i, text := range row {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return "", fmt.Errorf("%q is no number of votes", text)
		}
		if n > 1 {
			counts[i] = n
			total += n
		}
		if counts[i] > counts[best] {
			best = i
		}
	}
	if best >= len(columns) || counts[best] == 0 || rule == Majority && 2*counts[best] <= total {
		return "", nil
	}
	return columns[best], nil
}

// classed maps the columns to o's labels, and counts pictures of other classes.
func (o Options) classed(list []vote, picture func(file, class string) Picture) (pictures []Picture, leftOut int) {
	for _, v := range list {
		if class := ClassOf(v.class, o.Labels); class != "" {
			pictures = append(pictures, picture(v.file, class))
		} else {
			leftOut++
		}
	}
	return pictures, leftOut
}

func readFERPlus(folder string, o Options) ([]Picture, int, error) {
	file, err := os.Open(filepath.Join(folder, votesFile))
	if err != nil {
		return nil, 0, fmt.Errorf("read data set: %w", err)
	}
	defer file.Close()
	list, err := readVotes(file, o.Rule)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set %s: %w", folder, err)
	}
	pictures, leftOut := o.classed(list, func(file, class string) Picture {
		return onDisk(filepath.Join(folder, filepath.Base(file)), class)
	})
	return pictures, leftOut, nil
}

// readArchive reads one split of FER+ from a .tar.gz into memory (8 MB for the smaller ones).
func readArchive(name, split string, o Options) (pictures []Picture, leftOut int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set: %w", err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set %s: %w", name, err)
	}
	contents := map[string][]byte{}
	for archive := tar.NewReader(unzipped); ; {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read data set %s: %w", name, err)
		}
		if dir, base := path.Split(entry.Name); path.Base(dir) != split || base == "" {
			continue
		} else if contents[base], err = readEntry(archive, entry); err != nil {
			return nil, 0, fmt.Errorf("read data set %s: %w", name, err)
		}
	}
	labels, ok := contents[votesFile]
	if !ok {
		return nil, 0, field.Errorf("Split", "read data set %s: no %s/%s in it; unpack it, or name another part", name,
			split, votesFile)
	}
	list, err := readVotes(bytes.NewReader(labels), o.Rule)
	if err != nil {
		return nil, 0, fmt.Errorf("read data set %s: %w", name, err)
	}
	pictures, leftOut = o.classed(list, func(file, class string) Picture {
		return Picture{path.Join(split, file), class, func() ([]byte, error) {
			data, ok := contents[file]
			if !ok {
				return nil, fmt.Errorf("%s is not in the archive", file)
			}
			return data, nil
		}}
	})
	return pictures, leftOut, nil
}

// readEntry reads a file of an archive. FER+'s files have a few kilobytes.
func readEntry(archive io.Reader, entry *tar.Header) ([]byte, error) {
	const most = 16 << 20
	if entry.Size > most {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", entry.Name, entry.Size, most)
	}
	return io.ReadAll(archive)
}
