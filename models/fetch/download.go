package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"mindflow/pipeline/field"
)

const maxTries = 5 // in a row without progress

// download downloads one address to a file that may have its beginning already.
type download struct {
	client         *http.Client
	url            string
	stall, backoff time.Duration
	limit          int64 // bytes at most
	progress       func(done, total int64)
}

// passing is an error that may be gone at the next try.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// run tries until part is complete. It reports whether the first bytes are from an earlier run.
func (d download) run(ctx context.Context, part *os.File) (resumed bool, err error) {
	have, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	resumed = have > 0
	wait := d.backoff
	for tries := 1; ; tries++ {
		before := have
		have, err = d.try(ctx, part, have)
		if have < before { // the server started from the beginning
			resumed = false
		}
		var p passing
		switch {
		case err == nil:
			return resumed, nil
		case ctx.Err() != nil:
			return resumed, fmt.Errorf("stopped after %d bytes, which are kept; run the command again to go on: %w",
				have, context.Cause(ctx))
		case !errors.As(err, &p):
			return resumed, fmt.Errorf("download %s: %w", Place{URL: d.url}, err)
		}
		if have > before {
			tries, wait = 1, d.backoff
		}
		if tries == maxTries {
			return resumed, fmt.Errorf("download %s: %w; %d bytes are kept, run the command again to go on",
				Place{URL: d.url}, err, have)
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
		}
	}
}

// try requests once what is missing after have bytes, and returns the number of bytes then.
func (d download) try(ctx context.Context, part *os.File, have int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(d.stall, func() { cancel(fmt.Errorf("nothing came for %v", d.stall)) })
	defer silence.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return have, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	res, err := d.client.Do(req)
	if err != nil {
		return have, passing{cause(ctx, err)}
	}
	defer res.Body.Close()
	begin, total, err := d.place(res, have)
	if err != nil || begin < 0 {
		return have, err
	}
	if err := part.Truncate(begin); err != nil {
		return have, err
	}
	have = begin
	if _, err := part.Seek(have, io.SeekStart); err != nil {
		return have, err
	}
	return d.receive(ctx, part, res.Body, have, total, silence)
}

// place returns at which byte the body of the response begins, and the total size, zero for unknown. A begin of -1
// means that nothing is missing.
func (d download) place(res *http.Response, have int64) (begin, total int64, err error) {
	switch res.StatusCode {
	case http.StatusOK:
		total = max(res.ContentLength, 0)
	case http.StatusPartialContent:
		var end int64
		if _, err := fmt.Sscanf(res.Header.Get("Content-Range"), "bytes %d-%d/%d", &begin, &end, &total); err != nil ||
			begin != have {
			return 0, 0, fmt.Errorf("the server answered another part than asked for (Content-Range %q); remove the "+
				"unfinished .part file and run again", res.Header.Get("Content-Range"))
		}
	case http.StatusRequestedRangeNotSatisfiable: // nothing is missing, or part is of another file
		return -1, have, nil
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 0, 0, passing{fmt.Errorf("the server answered %s", res.Status)}
	default:
		return 0, 0, field.Errorf("URL", "the server answered %s; check the address, or give another", res.Status)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return 0, 0, field.Errorf("URL",
			"the server answered a web page; open the address in a browser, download the file there and give its path")
	}
	if total > d.limit {
		return 0, 0, fmt.Errorf("the file has %d bytes, want %d at most", total, d.limit)
	}
	return begin, total, nil
}

// receive writes the body after the first have bytes of part.
func (d download) receive(ctx context.Context, part *os.File, body io.Reader, have, total int64,
	silence *time.Timer) (int64, error) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := body.Read(buffer)
		silence.Reset(d.stall)
		if have+int64(n) > d.limit {
			return have, fmt.Errorf("the file has more than %d bytes", d.limit)
		}
		if _, err := part.Write(buffer[:n]); err != nil {
			return have, err
		}
		have += int64(n)
		d.progress(have, total)
		if errors.Is(err, io.EOF) && (total == 0 || have == total) {
			return have, nil
		}
		if err != nil {
			return have, passing{cause(ctx, err)}
		}
	}
}

// cause returns the cause of a cancelled ctx instead of the transport's error.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
