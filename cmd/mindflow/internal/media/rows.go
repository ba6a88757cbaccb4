package media

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"mindflow/pipeline"
)

// rows is a form of output: JSON, CSV or a summary.
type rows interface {
	add(p *pass) error // the latest analysed frame
	end(p *pass) error // the end of a file
}

// rows returns the form that the flags choose. Rows name their file when there are several.
func (t *table) rows(how videoFlags, several bool, labels []string) rows {
	switch {
	case how.asJSON:
		return &jsonRows{out: t, encoder: json.NewEncoder(t), several: several}
	case how.asCSV:
		return newCSVRows(t, several, labels)
	}
	return &summaries{out: t, labels: labels}
}

// seconds returns a frame's time as outputs have it, to the microsecond.
func seconds(at time.Duration) float64 { return float64(at.Microseconds()) / 1e6 }

// videoMessage is one line of `video --json`: a pipeline.Message with the frame's time in the video
// instead of its RTP timestamp.
type videoMessage struct {
	File    string            `json:"file,omitempty"`
	V       int               `json:"v"`
	Seq     uint64            `json:"seq"`
	T       float64           `json:"t"`               // seconds
	Model   string            `json:"model,omitempty"` // where a server chose it
	Width   int               `json:"width"`
	Height  int               `json:"height"`
	Dropped map[string]uint64 `json:"dropped"`
	MS      pipeline.Timing   `json:"ms"`
	Faces   []pipeline.Label  `json:"faces"`
}

type jsonRows struct {
	out     *table
	encoder *json.Encoder
	several bool
}

func (r *jsonRows) add(p *pass) error {
	m := p.message
	line := videoMessage{V: m.V, Seq: m.Seq, T: seconds(p.at), Width: m.Width, Height: m.Height,
		Dropped: map[string]uint64{}, MS: m.MS, Faces: m.Faces}
	if r.several {
		line.File = p.name
	}
	if err := r.encoder.Encode(line); err != nil {
		return err
	}
	return r.out.Flush()
}

func (r *jsonRows) end(*pass) error { return nil }

type csvRows struct {
	out     *csv.Writer
	several bool
	row     []string // reused
}

func newCSVRows(t *table, several bool, labels []string) *csvRows {
	r := &csvRows{out: csv.NewWriter(t), several: several}
	if several {
		r.row = append(r.row, "file")
	}
	r.row = append(r.row, "t", "frame", "face", "x", "y", "w", "h", "label", "confidence")
	r.row = append(r.row, labels...)
	_ = r.out.Write(r.row) // buffered; add or the table's Close returns the error
	return r
}

func (r *csvRows) add(p *pass) error {
	for _, face := range p.message.Faces {
		r.row = r.row[:0]
		if r.several {
			r.row = append(r.row, p.name)
		}
		r.row = append(r.row, strconv.FormatFloat(seconds(p.at), 'f', -1, 64), strconv.Itoa(p.read),
			strconv.FormatUint(face.ID, 10))
		for _, v := range face.Box {
			r.row = append(r.row, decimal(v))
		}
		r.row = append(r.row, face.Label, decimal(face.Confidence))
		for _, v := range face.Scores {
			r.row = append(r.row, decimal(v))
		}
		if err := r.out.Write(r.row); err != nil {
			return err
		}
	}
	r.out.Flush()
	return r.out.Error()
}

func (r *csvRows) end(*pass) error {
	r.out.Flush()
	return r.out.Error()
}

func decimal(v float32) string { return strconv.FormatFloat(float64(v), 'f', 5, 32) }

// table is where results are printed: standard output, or a file that gets its name once it is complete. Rows are
// flushed a frame at a time, so that the output ends with a complete row.
type table struct {
	*bufio.Writer
	file       *os.File // nil for standard output
	path, temp string   // temp is empty where path itself is written, such as a device
}

// openTable opens the file at path, or returns out when path is empty. It refuses to overwrite one of used.
func openTable(out io.Writer, path string, used []string) (*table, error) {
	const bufferSize = 1 << 18 // bytes of the rows of one frame
	if path == "" {
		return &table{Writer: bufio.NewWriterSize(out, bufferSize)}, nil
	}
	for _, name := range used {
		if name == path || sameFile(name, path) {
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
	t.Writer = bufio.NewWriterSize(t.file, bufferSize)
	return t, nil
}

// Close gives the file its name, or removes it when something could not be written.
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
	err = fmt.Errorf("print the results: %w; check free space and the program that reads the output", err)
	if t.temp != "" {
		err = errors.Join(err, os.Remove(t.temp))
	}
	return err
}
