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
	firstTry = time.Second // a request that gives no label in so long is given up: its connection may be stuck as well
	lastTry  = 16 * time.Second
	recent   = 3 // messages: HTTP may be so much ahead of a channel that works
)

// detour reads labels by HTTP while their channel is stuck, as web/client/fallback.js does. After an outage SCTP waits as long again before it
// sends the next message, up to a minute, since its retransmission timer doubles each time (RFC 9260, section 6.3.3); Pion's v3 line
// has no setting that bounds it.
type detour struct {
	heard  chan struct{} // told of a label by its channel
	sent   atomic.Uint64 // units
	around atomic.Bool   // whether labels are read by HTTP at present

	mu     sync.Mutex // guards the rest
	newest uint64     // message, whichever way it came
	byHTTP uint64     // the newest that came so
}

// Detoured says whether labels are read by HTTP at present, since their channel is stuck.
func (c *Client) Detoured() bool { return c.detour.around.Load() }

// take passes a message on that came by the labels channel or, with byHTTP, around it.
func (c *Client) take(data []byte, byHTTP bool) {
	var m pipeline.Message
	if json.Unmarshal(data, &m) != nil { // what is no JSON is not the server's
		return
	}
	d := &c.detour
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case byHTTP && m.Seq <= d.newest: // it came by the channel
		return
	case byHTTP:
		d.byHTTP = m.Seq
	case m.Seq+recent >= d.newest: // none of those that were stuck
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

// watch reads labels by HTTP when they stop coming by their channel though units are sent, until they come by it again.
func (c *Client) watch() {
	defer c.work.Done()
	s := newSilence()
	var sent uint64
	late := time.NewTimer(s.patience())
	defer late.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-c.detour.heard:
			s.heard(time.Now())
		case <-late.C:
			due := !s.last.IsZero() && c.detour.sent.Load() != sent
			if due && !c.goAround() {
				return
			}
			if due {
				s.last = time.Now()
			}
		}
		sent = c.detour.sent.Load()
		late.Reset(s.patience())
	}
}

// goAround reads labels by HTTP until their channel gives some. It reports false when the connection is over.
func (c *Client) goAround() bool {
	c.detour.around.Store(true)
	defer c.detour.around.Store(false)
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
	case <-c.detour.heard:
		return true
	case <-c.done:
		return false
	}
}

// readLabels asks for the session's labels again and again until ctx ends, each time with more patience.
func (c *Client) readLabels(ctx context.Context) {
	for patience := firstTry; ctx.Err() == nil; patience = min(2*patience, lastTry) {
		try, giveUp := context.WithCancel(ctx)
		limit := time.AfterFunc(patience, giveUp)
		// Its error is of no use: the connection says what is wrong with the session, and this is tried again.
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

// events reads the session's labels by HTTP: web/PROTOCOL.md, section 3.2.
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

// readEvents gives the data of those events that bear no type (HTML standard, section 9.2.6). data is lent for the call.
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
