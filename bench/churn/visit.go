package churn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"mindflow/bench/process"
	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

const (
	patience = 3 * time.Minute        // longest visit, on a machine that may be busy
	longest  = 100 * time.Millisecond // from the answer until a visitor that leaves midway is gone
)

// Ways to leave.
const (
	byDelete   = "DELETE"
	noDelete   = "connection closed without DELETE"
	midway     = "gone in mid-handshake"
	killed     = "process killed"
	browserEnd = "Chromium killed"
	browserMid = "Chromium killed in mid-handshake"
	abruptEach = 3 // one visitor of three leaves abruptly
)

// abrupt lists the abrupt ways in their turns. Chromium takes seconds of processor time to start, so it has fewer
// turns.
var abrupt = []string{noDelete, midway, killed, browserEnd, noDelete, midway, killed, browserMid}

// visitors connect to a server.
type visitors struct {
	binary, url string
	units       []pipeline.Unit
}

// visit connects and leaves, in the way that the visitor's number selects.
func (v visitors) visit(ctx context.Context, number int) (how string, err error) {
	how = byDelete
	if number%abruptEach == 0 {
		how = abrupt[number/abruptEach%len(abrupt)]
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch how {
	case midway:
		return how, v.leaveMidway(ctx)
	case killed:
		return how, v.killCamera(ctx)
	case browserEnd, browserMid:
		return how, v.killBrowser(ctx, how == browserMid)
	}
	return how, v.stay(ctx, how == byDelete)
}

func (v visitors) dial(ctx context.Context, transport http.RoundTripper) (*whipclient.Client, error) {
	client := &http.Client{Transport: transport}
	return whipclient.Dial(ctx, v.url+"/whip", whipclient.Options{Codec: pipeline.VP8, Client: client})
}

// stay connects, publishes until labels come, and leaves.
func (v visitors) stay(ctx context.Context, politely bool) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c, err := v.dial(ctx, transport)
	if err != nil {
		return err
	}
	sending, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() { sent <- c.Publish(sending, v.units, true) }()
	for labels := 0; labels < 3 && err == nil; {
		select {
		case <-c.Labels():
			labels++
		case <-c.Done():
			err = errors.New("the server ended the session")
		case <-ctx.Done():
			err = fmt.Errorf("wait for labels: %w", ctx.Err())
		}
	}
	stop()
	<-sent
	if politely {
		return errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return errors.Join(err, c.Abort())
}

// leaveMidway leaves shortly after the answer to its offer, during ICE or DTLS, and sends no DELETE.
func (v visitors) leaveMidway(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	transport := &offerOnly{next: &http.Transport{}, offered: func() { time.AfterFunc(rand.N(longest), cancel) }}
	defer transport.next.CloseIdleConnections()
	c, err := v.dial(ctx, transport)
	if err == nil { // the handshake was faster
		return c.Abort()
	}
	if !transport.answered {
		return err
	}
	return nil
}

// offerOnly sends offers and refuses every other request.
type offerOnly struct {
	next     *http.Transport
	offered  func()
	answered bool // owned by the caller of Dial
}

func (m *offerOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost {
		return nil, errors.New("only offers are sent")
	}
	res, err := m.next.RoundTrip(r)
	if err == nil && res.StatusCode == http.StatusCreated {
		// The body is read first, as offered makes Dial end, which would cut it off.
		body, failed := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(strings.NewReader(string(body)))
		m.answered = failed == nil
		m.offered()
	}
	return res, err
}

// killCamera publishes from a `mindflow camera` that is killed as soon as labels come.
func (v visitors) killCamera(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p, err := process.Start(v.binary, "camera", "--synthetic", "--size", "160x120", "--json", "--publish", v.url)
	if err != nil {
		return err
	}
	line := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(p.Out).ReadString('\n')
		line <- err
	}()
	select {
	case err = <-line:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.Kill()
	if err != nil {
		return fmt.Errorf("mindflow camera: %w", err)
	}
	return nil
}

// tally counts visitors by the way in which they left.
type tally map[string]int

func (t *tally) add(how string, failed error) {
	if *t == nil {
		*t = tally{}
	}
	if failed != nil {
		how += ", failed"
	}
	(*t)[how]++
}

func (t *tally) merge(o tally) {
	if *t == nil {
		*t = tally{}
	}
	for how, n := range o {
		(*t)[how] += n
	}
}

func (t tally) String() string {
	var parts []string
	for how, n := range t {
		parts = append(parts, fmt.Sprintf("%d %s", n, how))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
