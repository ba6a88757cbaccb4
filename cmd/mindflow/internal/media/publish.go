package media

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"mindflow/pipeline"
	"mindflow/pipeline/camera"
	"mindflow/pipeline/vpx"
	"mindflow/server/whipclient"
)

const (
	dialTime     = 20 * time.Second // for a session to stand
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 10 * time.Second
	closeTime    = 2 * time.Second // for the DELETE at the end
	lastLabels   = time.Second     // wait for those of a film's end
)

// publisher sends a camera to a server. A session follows the other until the server refuses for good.
type publisher struct {
	how  *cameraFlags
	feed *feed
	show *readout
	http *http.Client

	ticket string // of the server's, by which the place is kept from one session to the next
}

// publish sends the camera's frames to a server and prints the labels that come back.
func publish(ctx context.Context, how *cameraFlags, device camera.Device, show *readout) (err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	f := startFeed(ctx, device, how.capture, show)
	defer func() { err = errors.Join(err, f.close()) }()
	p := &publisher{how: how, feed: f, show: show, http: &http.Client{Transport: transport}}
	return p.run(ctx)
}

func (p *publisher) run(ctx context.Context) error {
	backoff := firstBackoff
	var failed error
	for {
		if _, ok := p.feed.next(ctx); !ok { // before there is a frame, as when the camera is lost, no session is needed
			return cmp.Or(ctx.Err(), failed)
		}
		labels, err := p.session(ctx)
		if labels > 0 {
			backoff = firstBackoff
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil || !passing(err):
			return err
		}
		wait := backoff
		var refused *whipclient.RefusedError
		if errors.As(err, &refused) && refused.RetryAfter > 0 {
			wait = refused.RetryAfter
		}
		p.show.say("%v; trying again in %v", err, wait)
		backoff, failed = min(2*backoff, lastBackoff), err
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.feed.done:
			return err
		case <-time.After(wait):
		}
	}
}

// session publishes until the connection is over, and says how many labels came. Without an error the film
// is at its end.
func (p *publisher) session(ctx context.Context) (labels int, err error) {
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	c, err := whipclient.Dial(dialing, p.how.publish, whipclient.Options{Codec: pipeline.VP8, Client: p.http, Token: string(p.how.token), Ticket: p.ticket, Detour: true})
	cancel()
	var refused *whipclient.RefusedError
	if errors.As(err, &refused) {
		p.ticket = refused.Ticket
	}
	if err != nil {
		var request *url.Error // which names the address as well
		if errors.As(err, &request) {
			err = request.Err
		}
		return 0, fmt.Errorf("publish to %s: %w", p.how.publish, err)
	}
	p.ticket = c.Ticket()
	p.show.say("publishing to %s", p.how.publish)
	sending, stop := context.WithCancel(ctx)
	s := &sender{feed: p.feed, client: c, bitrate: 1000 * p.how.bitrate, done: make(chan struct{})}
	go s.run(sending)
	labels, err = p.receive(ctx, c, s)
	stop()
	<-s.done

	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if failed := c.Close(closing); failed != nil && (err == nil || ctx.Err() != nil) { // else err says what is wrong
		p.show.say("end the session: %v", failed)
	}
	return labels, err
}

// receive prints what comes back.
func (p *publisher) receive(ctx context.Context, c *whipclient.Client, s *sender) (labels int, err error) {
	var linger <-chan time.Time
	var latest uint64
	sent := s.done
	for {
		select {
		case <-ctx.Done():
			return labels, ctx.Err()
		case <-sent:
			if s.err != nil {
				return labels, lastWords(c, s.err)
			}
			sent, linger = nil, time.After(lastLabels)
		case <-linger:
			return labels, nil
		case m := <-c.Labels():
			if labels > 0 && m.Seq <= latest { // late: newer ones are printed already
				continue
			}
			labels, latest = labels+1, m.Seq
			if m.V != pipeline.Version {
				return labels, &finalError{fmt.Sprintf("the server speaks version %d of the protocol, this program %d; update the older", m.V, pipeline.Version)}
			}
			if err := p.show.message(&m, s.at(m.RTP)); err != nil {
				return labels, &finalError{err.Error()}
			}
		case said := <-c.Controls():
			if said.Type == "bye" {
				return labels, &byeError{said.Reason}
			}
		case <-c.Done():
			return labels, lastWords(c, errors.New("the connection to the server is lost"))
		}
	}
}

// lastWords is the bye that came just before a connection's end, or else otherwise.
func lastWords(c *whipclient.Client, otherwise error) error {
	for {
		select {
		case said := <-c.Controls():
			if said.Type == "bye" {
				return &byeError{said.Reason}
			}
		default:
			return otherwise
		}
	}
}

// byeError is a session that the server ended: web/PROTOCOL.md, section 4.
type byeError struct{ reason string }

func (e *byeError) Error() string {
	return "the server ended the session: " + whipclient.Printable(e.reason)
}

// finalError is one that another session would meet again.
type finalError struct{ text string }

func (e *finalError) Error() string { return e.text }

// passing says whether another try may go better.
func passing(err error) bool {
	var refused *whipclient.RefusedError
	var bye *byeError
	var final *finalError
	switch {
	case errors.As(err, &final):
		return false
	case errors.As(err, &bye):
		return !slices.Contains([]string{"deleted", "abuse", "too-large"}, bye.reason)
	case errors.As(err, &refused):
		return refused.Status >= 500 || refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusRequestTimeout
	}
	return true
}

// sender codes the newest frames and sends them, on a goroutine of its own.
type sender struct {
	// static after construction
	feed    *feed
	client  *whipclient.Client
	bitrate int // bit/s
	done    chan struct{}

	latest atomic.Int64 // ticks of 90 kHz, of the latest frame that was sent

	// owned by run
	encoder *vpx.Encoder // nil before the first frame
	err     error        // to be read after done; nil at the end of a film
}

func (s *sender) run(ctx context.Context) {
	defer close(s.done)
	s.err = s.frames(ctx)
	if s.encoder != nil {
		s.err = errors.Join(s.err, s.encoder.Close())
	}
}

// frames sends until the film, or ctx, ends. The first is a key frame, as every encoder's is.
func (s *sender) frames(ctx context.Context) error {
	for {
		f, ok := s.feed.next(ctx)
		if !ok {
			return ctx.Err()
		}
		key := false
		select {
		case <-s.client.KeyframeRequests():
			key = true
		default:
		}
		if err := s.send(f, key); err != nil {
			return err
		}
	}
}

func (s *sender) send(f *pipeline.Frame, key bool) (err error) {
	if s.encoder != nil && !s.encoder.Fits(f) {
		if err := s.encoder.Close(); err != nil {
			return err
		}
		s.encoder = nil
	}
	if s.encoder == nil {
		if s.encoder, err = vpx.Open(f.Width, f.Height, s.bitrate); err != nil {
			s.encoder = nil
			return &finalError{err.Error()}
		}
	}
	unit, err := s.encoder.Encode(f, key)
	if err != nil {
		return &finalError{err.Error()}
	}
	s.latest.Store(int64(f.Arrived.Sub(s.feed.began)) * 9 / 100000)
	return s.client.WriteUnit(unit)
}

// at is the time since the first frame of what has this RTP timestamp, which was sent not long ago.
func (s *sender) at(rtp uint32) time.Duration {
	latest := s.latest.Load()
	ticks := latest + int64(int32(rtp-uint32(latest)))
	return time.Duration(max(0, ticks)) * 100000 / 9
}
