package main

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
	patience = 3 * time.Minute        // for anything that a visitor waits for, on a machine that may be busy
	longest  = 100 * time.Millisecond // of a visitor who leaves in the middle of the handshake
)

// Ways to leave.
const (
	byDelete   = "DELETE"
	noDelete   = "connection closed without DELETE"
	midway     = "gone in mid-handshake"
	killed     = "process killed"
	browserEnd = "Chromium killed"
	browserMid = "Chromium killed in mid-handshake"
	abruptEach = 3 // of so many visitors one leaves abruptly
)

// abrupt ways come in turn. A Chromium takes seconds of processor time to start, so there are fewer of those.
var abrupt = []string{noDelete, midway, killed, browserEnd, noDelete, midway, killed, browserMid}

// visitors come to a server.
type visitors struct {
	binary, url string
	units       []pipeline.Unit
}

// visit is one coming and going, in the way that its number says.
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
		return how, v.beKilled(ctx)
	case browserEnd, browserMid:
		return how, v.beBrowser(ctx, how == browserMid)
	}
	return how, v.stay(ctx, how == byDelete)
}

// stay connects, publishes until labels come, and leaves.
func (v visitors) stay(ctx context.Context, politely bool) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c, err := whipclient.Dial(ctx, v.url+"/whip", whipclient.Options{Codec: pipeline.VP8, Client: &http.Client{Transport: transport}})
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

// leaveMidway is gone a moment after the offer, in the middle of ICE or DTLS, and sends no DELETE.
func (v visitors) leaveMidway(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	transport := &mute{next: &http.Transport{}, offered: func() { time.AfterFunc(rand.N(longest), cancel) }}
	defer transport.next.CloseIdleConnections()
	c, err := whipclient.Dial(ctx, v.url+"/whip", whipclient.Options{Codec: pipeline.VP8, Client: &http.Client{Transport: transport}})
	if err == nil { // it was faster
		return c.Abort()
	}
	if !transport.answered {
		return err
	}
	return nil
}

// mute sends offers, and nothing else.
type mute struct {
	next     *http.Transport
	offered  func()
	answered bool // owned by the caller of Dial
}

func (m *mute) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost {
		return nil, errors.New("not sent")
	}
	res, err := m.next.RoundTrip(r)
	if err == nil && res.StatusCode == http.StatusCreated {
		// The body is read first: Dial gives up when ctx ends, and the offer has to be taken.
		body, failed := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(strings.NewReader(string(body)))
		m.answered = failed == nil
		m.offered()
	}
	return res, err
}

// beKilled publishes from a process of its own, which is killed as soon as labels come.
func (v visitors) beKilled(ctx context.Context) error {
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

// tally counts visitors by the way that they left.
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
