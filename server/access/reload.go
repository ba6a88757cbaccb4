package access

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// checkInterval is the least time between two checks of the files.
const checkInterval = time.Second

// reloader makes a new Authenticator when its files change.
type reloader struct {
	// static after construction
	read  func() (*Authenticator, error)
	files []string
	log   *slog.Logger

	mu      sync.Mutex
	current *Authenticator // guarded by mu
	loaded  []stamp        // guarded by mu: of the files that current was made of
	checked time.Time      // guarded by mu
	fault   string         // guarded by mu: the last error that was logged, until the files can be used
}

// stamp identifies a version of a file.
type stamp struct {
	changed time.Time
	size    int64
}

// Reloading returns the Authenticator that read makes of the files. It calls read again after they changed, so that
// tokens and keys change without a restart. When read fails or it is open, the previous one stays in use and the error
// is logged. The error is that of the first read.
func Reloading(read func() (*Authenticator, error), files []string, log *slog.Logger) (*Authenticator, error) {
	r := &reloader{read: read, files: files, log: log, checked: time.Now()}
	r.loaded, _ = r.stamps() // read reports the error
	var err error
	if r.current, err = read(); err != nil {
		return nil, err
	}
	return &Authenticator{reload: r}, nil
}

// at returns the Authenticator to use. It checks the files when the last check is checkInterval old.
func (r *reloader) at(now time.Time) *Authenticator {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.checked) >= checkInterval {
		r.checked = now
		r.check()
	}
	return r.current
}

// check reads files that changed. Files that could not be used are read at each check: they may have been half written.
func (r *reloader) check() {
	stamps, err := r.stamps()
	if err == nil && slices.Equal(stamps, r.loaded) && r.fault == "" {
		return
	}
	var next *Authenticator
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
	r.loaded, r.fault, r.current = stamps, "", next
	r.log.Info("tokens and keys read again", "files", r.files)
}

func (r *reloader) stamps() (list []stamp, err error) {
	for _, name := range r.files {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("look at tokens and keys: %w", err)
		}
		list = append(list, stamp{info.ModTime(), info.Size()})
	}
	return list, nil
}
