package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mindflow/cmd/mindflow/internal/terminal"
)

const (
	standardInput = "-"
	answerTimeout = 20 * time.Second // until a web server answers
	stallTimeout  = 30 * time.Second // without a byte of a download
	maxPicture    = 512 << 20        // bytes of a picture that is no file
)

// isStream reports whether a name stands for standard input or an address, and not for a file.
func isStream(name string) bool { return name == standardInput || strings.Contains(name, "://") }

// shownName returns the name of an input for messages and results. That of an address lacks the parts that may hold a
// password.
func shownName(name string) string {
	switch {
	case name == standardInput:
		return "standard input"
	case isStream(name):
		u, err := url.Parse(name)
		if err != nil {
			return "the address"
		}
		return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	return name
}

// shownNames returns the names of inputs for messages and results.
func shownNames(names []string) []string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = shownName(name)
	}
	return shown
}

// openStream reads standard input, or downloads what an address of HTTP or HTTPS names. It ends with ctx.
func openStream(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == standardInput {
		return readStandardInput(ctx)
	}
	switch scheme, _, _ := strings.Cut(name, "://"); strings.ToLower(scheme) {
	case "http", "https":
		return download(ctx, name)
	case "rtsp":
		return nil, fmt.Errorf("read %s: a live stream has no end; use mindflow camera --input", shownName(name))
	}
	return nil, fmt.Errorf("read %s: use a file, an address of http or https, or - for standard input",
		shownName(name))
}

// readStandardInput reads in a goroutine of its own, since nothing interrupts the read of a pipe. The goroutine may
// outlast ctx: until the other side writes or leaves.
func readStandardInput(ctx context.Context) (io.ReadCloser, error) {
	input := os.Stdin
	if terminal.Is(input) {
		return nil, errors.New("standard input holds no file; redirect a file or a pipe to it")
	}
	reader, writer := io.Pipe()
	stop := context.AfterFunc(ctx, func() { writer.CloseWithError(ctx.Err()) })
	go func() {
		defer stop()
		_, err := io.Copy(writer, input)
		writer.CloseWithError(err)
	}()
	return reader, nil
}

// download requests a file. Its errors do not repeat the address.
func download(ctx context.Context, address string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTimeout
	d := &downloaded{ctx: ctx, cancel: cancel, transport: transport}
	shown := shownName(address)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("read %s: not an address; write special characters as %%XX", shown)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		cancel(nil)
		var failed *url.Error // its text repeats the address
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("read %s: %w", shown, err)
	}
	d.body = response.Body
	d.stalled = time.AfterFunc(stallTimeout, func() { cancel(fmt.Errorf("nothing came for %v", stallTimeout)) })
	switch {
	case response.StatusCode != http.StatusOK:
		err = fmt.Errorf("read %s: the server answers %s", shown, response.Status)
	case strings.HasPrefix(response.Header.Get("Content-Type"), "multipart/x-mixed-replace"):
		err = fmt.Errorf("read %s: a network camera, whose stream has no end; use mindflow camera --input", shown)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// downloaded is the content of a download, which fails where no byte comes for a while.
type downloaded struct {
	ctx       context.Context // its cause tells why the body cannot be read
	body      io.ReadCloser
	stalled   *time.Timer
	cancel    context.CancelCauseFunc
	transport *http.Transport
}

func (d *downloaded) Read(p []byte) (int, error) {
	n, err := d.body.Read(p)
	if n > 0 {
		d.stalled.Reset(stallTimeout)
	}
	if cause := context.Cause(d.ctx); err != nil && cause != nil {
		err = cause
	}
	return n, err
}

func (d *downloaded) Close() error {
	d.stalled.Stop()
	err := d.body.Close()
	d.cancel(nil)
	d.transport.CloseIdleConnections()
	return err
}

// readStream returns all of a picture.
func readStream(ctx context.Context, name string) (data []byte, err error) {
	stream, err := openStream(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	data, err = io.ReadAll(io.LimitReader(stream, maxPicture+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", shownName(name), err)
	case len(data) > maxPicture:
		return nil, fmt.Errorf("read %s: over %d MB, which is no picture; see what it is", shownName(name),
			maxPicture>>20)
	case len(data) == 0:
		return nil, fmt.Errorf("read %s: it is empty; see what writes to it", shownName(name))
	}
	return data, nil
}

// spool copies a video to a temporary file, since many videos have their index at the end. remove deletes it.
func spool(ctx context.Context, name string) (path string, remove func() error, err error) {
	stream, err := openStream(ctx, name)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	dir, err := os.MkdirTemp("", "mindflow-")
	if err != nil {
		return "", nil, fmt.Errorf("read %s: %w", shownName(name), err)
	}
	remove = func() error { return os.RemoveAll(dir) }
	path = filepath.Join(dir, "video")
	file, err := os.Create(path)
	if err == nil {
		_, err = io.Copy(file, stream)
		err = errors.Join(err, file.Close())
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w; name a folder with more space in TMPDIR", err)
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("read %s: %w", shownName(name), err), remove())
	}
	return path, remove, nil
}
