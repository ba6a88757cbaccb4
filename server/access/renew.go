package access

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// lookEvery is how often files are asked whether they changed, at most: a request more costs nothing.
const lookEvery = time.Second

// renewal makes a gate anew when its files change.
type renewal struct {
	// static after construction
	read  func() (*Gate, error)
	files []string
	log   *slog.Logger

	mu      sync.Mutex
	current *Gate     // guarded by mu
	seen    []stamp   // guarded by mu: of the files as they were read last
	looked  time.Time // guarded by mu
	fault   string    // guarded by mu: what was said last of files that cannot be used
}

// stamp tells one state of a file from another.
type stamp struct {
	changed time.Time
	size    int64
}

// Renewed is the gate that read makes of the files, made anew after they changed: whoever may use the server changes
// without a restart. Files that cannot be used leave the gate before in use, and the log says why; so does one that
// would let everybody in. The error is the first read's.
func Renewed(read func() (*Gate, error), files []string, log *slog.Logger) (*Gate, error) {
	r := &renewal{read: read, files: files, log: log, looked: time.Now()}
	r.seen, _ = r.stamps() // read says what is wrong
	var err error
	if r.current, err = read(); err != nil {
		return nil, err
	}
	return &Gate{renewal: r}, nil
}

// at is the gate to use, after a look at the files if the last one is long enough ago.
func (r *renewal) at(now time.Time) *Gate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.looked) >= lookEvery {
		r.looked = now
		r.look()
	}
	return r.current
}

// look reads files that changed. Those that could not be used are read at each look: they may have been half written.
func (r *renewal) look() {
	stamps, err := r.stamps()
	if err == nil && slices.Equal(stamps, r.seen) && r.fault == "" {
		return
	}
	var next *Gate
	if err == nil {
		next, err = r.read()
	}
	if err == nil && next.IsOpen() {
		err = fmt.Errorf("%v hold neither tokens nor keys", r.files)
	}
	if err != nil {
		if r.fault != err.Error() {
			r.fault = err.Error()
			r.log.Error("the changed tokens or keys cannot be used; those before stay in use", "err", err)
		}
		return
	}
	r.seen, r.fault, r.current = stamps, "", next
	r.log.Info("tokens and keys read again", "files", r.files)
}

func (r *renewal) stamps() (list []stamp, err error) {
	for _, name := range r.files {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("look at tokens and keys: %w", err)
		}
		list = append(list, stamp{info.ModTime(), info.Size()})
	}
	return list, nil
}
