package media

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"mindflow/cmd/mindflow/internal/terminal"
	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

// labelPrinter prints labels as they come: as JSON lines, on a terminal as one line that is kept up to date, or
// elsewhere as a line whenever the labels change. Notices go to another stream.
type labelPrinter struct {
	out, aside io.Writer // static after construction
	asJSON     bool
	redraw     bool

	mu      sync.Mutex // guards what follows, and the writers
	latest  string     // labels of the latest line
	open    bool       // a line on the terminal is not ended
	noticed string     // latest notice
}

func newLabelPrinter(out, aside io.Writer, asJSON bool) *labelPrinter {
	return &labelPrinter{out: out, aside: aside, asJSON: asJSON, redraw: !asJSON && terminal.Is(out)}
}

// message prints the labels of a frame, at a time since the first frame.
func (r *labelPrinter) message(m *pipeline.Message, at time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.print(m, at)
	if err != nil {
		return fmt.Errorf("print the labels: %w; check the program that reads the output", err)
	}
	return nil
}

func (r *labelPrinter) print(m *pipeline.Message, at time.Duration) error {
	if r.asJSON {
		return json.NewEncoder(r.out).Encode(videoMessage{V: m.V, Seq: m.Seq, T: seconds(at), Model: m.Model,
			Width: m.Width, Height: m.Height, Dropped: m.Dropped, MS: m.MS, Faces: m.Faces})
	}
	labels, shown := describe(m.Faces)
	line := fmt.Sprintf("%6.1f s  %s", at.Seconds(), shown)
	if r.redraw {
		r.open = true
		_, err := io.WriteString(r.out, terminal.ClearLine+line)
		return err
	}
	if labels == r.latest {
		return nil
	}
	r.latest = labels
	_, err := io.WriteString(r.out, line+"\n")
	return err
}

// maxShown is how many faces fit in a terminal's line.
const maxShown = 3

// describe lists the labels, and the labels with their confidence.
func describe(faces []pipeline.Label) (labels, shown string) {
	if len(faces) == 0 {
		return "no face", "no face"
	}
	names, texts := make([]string, len(faces)), make([]string, len(faces))
	for i, face := range faces {
		names[i] = whipclient.Printable(face.Label) // the server may be anybody's
		if face.Uncertain {
			names[i] = "uncertain"
		}
		texts[i] = fmt.Sprintf("%s %.0f%%", names[i], 100*face.Confidence)
	}
	if more := len(texts) - maxShown; more > 0 {
		texts = append(texts[:maxShown], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", "), strings.Join(texts, ", ")
}

// notice prints what happens, and not twice in a row. It ignores errors of its writer, which is standard error.
func (r *labelPrinter) notice(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if text == r.noticed {
		return
	}
	r.noticed = text
	if r.open {
		_, _ = io.WriteString(r.out, terminal.ClearLine)
		r.open = false
	}
	_, _ = fmt.Fprintf(r.aside, "mindflow: %s\n", text)
}

// end ends a terminal's line.
func (r *labelPrinter) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open {
		_, _ = io.WriteString(r.out, "\n")
		r.open = false
	}
}
