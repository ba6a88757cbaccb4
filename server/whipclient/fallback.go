package whipclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mindflow/pipeline"
)

const (
	firstTry = time.Second // a request that brings no label within it is ended: its connection may be stalled as well
	lastTry  = 16 * time.Second
	recent   = 3 // messages that HTTP may be ahead of a channel that works
)

// fallback reads labels over HTTP while their data channel is stalled, as web/client/fallback.js does. After an outage
// SCTP may wait up to a minute before it sends the next message, since its retransmission timer doubles each time (RFC
// 9260, section 6.3.3). Pion v3 has no setting that limits it.
type fallback struct {
	heard  chan struct{} // signalled for a label on its channel
	sent   atomic.Uint64 // units
	active atomic.Bool   // labels are read over HTTP at present

	mu     sync.Mutex // guards the rest
	newest uint64     // message, over either
	byHTTP uint64     // the newest message over HTTP
}

// OnFallback reports whether labels are read over HTTP at present, since their channel is stalled.
func (c *Client) OnFallback() bool { return c.fallback.active.Load() }

// take passes on a message of the labels channel or, with byHTTP, of HTTP.
func (c *Client) take(data []byte, byHTTP bool) {
	var m pipeline.Message
	if json.Unmarshal(data, &m) != nil {
		return
	}
	d := &c.fallback
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case byHTTP && m.Seq <= d.newest: // it came on the channel
		return
	case byHTTP:
		d.byHTTP = m.Seq
	case m.Seq+recent >= d.newest: // not one that was stalled
		select {
		case d.heard <- struct{}{}:
		default:
		}
	}
	if !byHTTP && d.byHTTP > 0 && m.Seq <= d.byHTTP {
		return
	}
	d.newest = max(d.newest, m.Seq)
	keepNewest(c.labels, m)
}

// watch reads labels over HTTP when their channel stalls although units are sent, until the channel works again.
func (c *Client) watch() {
	defer c.work.Done()
	s := newStall()
	var sent uint64
	late := time.NewTimer(s.patience())
	defer late.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-c.fallback.heard:
			s.heard(time.Now())
		case <-late.C:
			due := !s.last.IsZero() && c.fallback.sent.Load() != sent
			if due && !c.fallBack() {
				return
			}
			if due {
				s.last = time.Now()
			}
		}
		sent = c.fallback.sent.Load()
		late.Reset(s.patience())
	}
}

// fallBack reads labels over HTTP until their channel works. It reports false when the connection has ended.
func (c *Client) fallBack() bool {
	c.fallback.active.Store(true)
	defer c.fallback.active.Store(false)
	ctx, cancel := context.WithCancel(context.Background())
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.readLabels(ctx)
	}()
	defer func() {
		cancel()
		<-read
	}()
	select {
	case <-c.fallback.heard:
		return true
	case <-c.done:
		return false
	}
}

// readLabels requests the session's labels repeatedly until ctx ends, each time with a longer timeout.
func (c *Client) readLabels(ctx context.Context) {
	for patience := firstTry; ctx.Err() == nil; patience = min(2*patience, lastTry) {
		try, giveUp := context.WithCancel(ctx)
		limit := time.AfterFunc(patience, giveUp)
		// The error does not matter: the request is repeated, and the connection shows what is wrong with the session.
		_ = c.events(try, func(data []byte) {
			patience = firstTry
			limit.Reset(patience)
			c.take(data, true)
		})
		<-try.Done()
		limit.Stop()
		giveUp()
	}
}

// events reads the session's labels over HTTP: web/PROTOCOL.md, section 3.2.
func (c *Client) events(ctx context.Context, take func(data []byte)) error {
	res, err := c.do(ctx, http.MethodGet, c.session+"/labels", "", http.Header{"Accept": {"text/event-stream"}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return refused(res, nil)
	}
	return readEvents(res.Body, take)
}

// readEvents passes on the data of events without a type (HTML standard, section 9.2.6). data is valid during the call.
func readEvents(from io.Reader, take func(data []byte)) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxAnswer)
	var data []byte
	typed := false
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(lines.Bytes()) == 0:
			if len(data) > 0 && !typed {
				take(data)
			}
			data, typed = data[:0], false
		case string(field) == "event":
			typed = true
		case string(field) == "data" && len(data)+len(value) > maxAnswer:
			return fmt.Errorf("read labels: an event of more than %d bytes", maxAnswer)
		case string(field) == "data":
			data = append(data, value...)
		}
	}
	return lines.Err()
}
