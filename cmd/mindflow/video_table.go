package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// table is where results are printed: standard output, or a file that gets its name when it is whole.
// Rows are buffered and flushed a frame at a time, so that what is there ends with a whole one.
type table struct {
	*bufio.Writer
	file       *os.File // nil is standard output
	path, temp string   // temp is "" where path is written itself, such as a device
}

// openTable opens path, or takes out when there is none. It refuses to write over one of used.
func openTable(out io.Writer, path string, used []string) (*table, error) {
	const most = 1 << 18 // bytes of the rows of one frame
	if path == "" {
		return &table{Writer: bufio.NewWriterSize(out, most)}, nil
	}
	for _, name := range used {
		if name == path || same(name, path) {
			return nil, fmt.Errorf("--out: %s would be overwritten; name another file", path)
		}
	}
	t := &table{path: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("--out: %s is a folder; name a file in it", path)
	case err == nil && !info.Mode().IsRegular():
		t.file, err = os.OpenFile(path, os.O_WRONLY, 0)
	default:
		dir, name := filepath.Split(path)
		t.temp = dir + ".part-" + name // same folder, so that renaming is atomic
		t.file, err = os.Create(t.temp)
	}
	if err != nil {
		return nil, fmt.Errorf("--out: %w; name a file in a folder that can be written", err)
	}
	t.Writer = bufio.NewWriterSize(t.file, most)
	return t, nil
}

// Close gives the file its name, or leaves nothing of it when something could not be written.
func (t *table) Close() error {
	err := t.Flush()
	if t.file != nil {
		err = errors.Join(err, t.file.Close())
	}
	if err == nil && t.temp != "" {
		err = os.Rename(t.temp, t.path)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("print the results: %w; see that there is space and whoever reads is there", err)
	if t.temp != "" {
		err = errors.Join(err, os.Remove(t.temp))
	}
	return err
}
