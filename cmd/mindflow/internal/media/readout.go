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

// readout prints labels as they come: JSON lines, or on a terminal one line that is kept up to date, or
// elsewhere a line whenever other labels are seen. What happens meanwhile is said on another stream.
type readout struct {
	out, aside io.Writer // static after construction
	asJSON     bool
	redraw     bool

	mu   sync.Mutex // guards what follows, and the writers
	seen string     // the labels of the latest line
	open bool       // a line on the terminal that is not ended
	said string
}

func newReadout(out, aside io.Writer, asJSON bool) *readout {
	return &readout{out: out, aside: aside, asJSON: asJSON, redraw: !asJSON && terminal.Is(out)}
}

// message prints what is seen in a frame, at a time since the first one.
func (r *readout) message(m *pipeline.Message, at time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.print(m, at)
	if err != nil {
		return fmt.Errorf("print the labels: %w; see that whoever reads is there", err)
	}
	return nil
}

func (r *readout) print(m *pipeline.Message, at time.Duration) error {
	if r.asJSON {
		return json.NewEncoder(r.out).Encode(videoMessage{V: m.V, Seq: m.Seq, T: seconds(at), Model: m.Model,
			Width: m.Width, Height: m.Height, Dropped: m.Dropped, MS: m.MS, Faces: m.Faces})
	}
	labels, shown := described(m.Faces)
	line := fmt.Sprintf("%6.1f s  %s", at.Seconds(), shown)
	if r.redraw {
		r.open = true
		_, err := io.WriteString(r.out, terminal.ClearLine+line)
		return err
	}
	if labels == r.seen {
		return nil
	}
	r.seen = labels
	_, err := io.WriteString(r.out, line+"\n")
	return err
}

// mostShown faces fit in a terminal's line.
const mostShown = 3

// described lists the labels, and the same with their confidence.
func described(faces []pipeline.Label) (labels, shown string) {
	if len(faces) == 0 {
		return "no face", "no face"
	}
	names, texts := make([]string, len(faces)), make([]string, len(faces))
	for i, face := range faces {
		names[i] = whipclient.Printable(face.Label) // a server is somebody else's
		if face.Uncertain {
			names[i] = "uncertain"
		}
		texts[i] = fmt.Sprintf("%s %.0f%%", names[i], 100*face.Confidence)
	}
	if more := len(texts) - mostShown; more > 0 {
		texts = append(texts[:mostShown], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", "), strings.Join(texts, ", ")
}

// say tells what happens, and not twice in a row. Its writer is standard error, which has no other to tell
// of a failure.
func (r *readout) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if text == r.said {
		return
	}
	r.said = text
	if r.open {
		_, _ = io.WriteString(r.out, terminal.ClearLine)
		r.open = false
	}
	_, _ = fmt.Fprintf(r.aside, "mindflow: %s\n", text)
}

// end leaves a terminal's line as it is and goes to the next.
func (r *readout) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open {
		_, _ = io.WriteString(r.out, "\n")
		r.open = false
	}
}
