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
	dialTimeout  = 20 * time.Second // until a session stands
	minBackoff   = 500 * time.Millisecond
	maxBackoff   = 10 * time.Second
	closeTimeout = 2 * time.Second // for the DELETE at the end
	lingerTime   = time.Second     // wait for the labels of a video's last frames
)

// publisher sends a camera to a server. When a session ends it opens another, until the server refuses for good.
type publisher struct {
	how    *cameraFlags
	source *frameSource
	show   *labelPrinter
	http   *http.Client

	ticket string // of the server: keeps the place in its queue from one session to the next
}

// publish sends the camera's frames to a server and prints the labels that come back.
func publish(ctx context.Context, how *cameraFlags, device camera.Device, show *labelPrinter) (err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	f := startSource(ctx, device, how.capture, show)
	defer func() { err = errors.Join(err, f.close()) }()
	p := &publisher{how: how, source: f, show: show, http: &http.Client{Transport: transport}}
	return p.run(ctx)
}

func (p *publisher) run(ctx context.Context) error {
	backoff := minBackoff
	var failed error
	for {
		if _, ok := p.source.next(ctx); !ok { // no session is needed before there is a frame
			return cmp.Or(ctx.Err(), failed)
		}
		labels, err := p.session(ctx)
		if labels > 0 {
			backoff = minBackoff
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil || !transient(err):
			return err
		}
		wait := backoff
		var refused *whipclient.RefusedError
		if errors.As(err, &refused) && refused.RetryAfter > 0 {
			wait = refused.RetryAfter
		}
		p.show.notice("%v; trying again in %v", err, wait)
		backoff, failed = min(2*backoff, maxBackoff), err
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.source.done:
			return err
		case <-time.After(wait):
		}
	}
}

// session publishes until the connection ends, and returns how many labels came. Without an error the video is at its
// end.
func (p *publisher) session(ctx context.Context) (labels int, err error) {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	c, err := whipclient.Dial(dialing, p.how.publish, whipclient.Options{Codec: pipeline.VP8, Client: p.http,
		Token: string(p.how.token), Ticket: p.ticket, Fallback: true})
	cancel()
	var refused *whipclient.RefusedError
	if errors.As(err, &refused) {
		p.ticket = refused.Ticket
	}
	if err != nil {
		var request *url.Error // its text repeats the address
		if errors.As(err, &request) {
			err = request.Err
		}
		return 0, fmt.Errorf("publish to %s: %w", p.how.publish, err)
	}
	p.ticket = c.Ticket()
	p.show.notice("publishing to %s", p.how.publish)
	sending, stop := context.WithCancel(ctx)
	s := &sender{source: p.source, client: c, bitrate: 1000 * p.how.bitrate, done: make(chan struct{})}
	go s.run(sending)
	labels, err = p.receive(ctx, c, s)
	stop()
	<-s.done

	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if failed := c.Close(closing); failed != nil && (err == nil || ctx.Err() != nil) { // otherwise err has the cause
		p.show.notice("end the session: %v", failed)
	}
	return labels, err
}

// receive prints the labels that come back.
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
				return labels, endReason(c, s.err)
			}
			sent, linger = nil, time.After(lingerTime)
		case <-linger:
			return labels, nil
		case m := <-c.Labels():
			if labels > 0 && m.Seq <= latest { // late: a newer one is printed already
				continue
			}
			labels, latest = labels+1, m.Seq
			if m.V != pipeline.Version {
				return labels, &permanentError{fmt.Sprintf("the server speaks version %d of the protocol, this "+
					"program %d; update the older", m.V, pipeline.Version)}
			}
			if err := p.show.message(&m, s.at(m.RTP)); err != nil {
				return labels, &permanentError{err.Error()}
			}
		case control := <-c.Controls():
			if control.Type == "bye" {
				return labels, &byeError{control.Reason}
			}
		case <-c.Done():
			return labels, endReason(c, errors.New("the connection to the server is lost"))
		}
	}
}

// endReason returns the bye that came just before a connection's end, or else otherwise.
func endReason(c *whipclient.Client, otherwise error) error {
	for {
		select {
		case control := <-c.Controls():
			if control.Type == "bye" {
				return &byeError{control.Reason}
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

// permanentError is an error that another session would meet again.
type permanentError struct{ text string }

func (e *permanentError) Error() string { return e.text }

// transient reports whether another try may succeed.
func transient(err error) bool {
	var refused *whipclient.RefusedError
	var bye *byeError
	var permanent *permanentError
	switch {
	case errors.As(err, &permanent):
		return false
	case errors.As(err, &bye):
		return !slices.Contains([]string{"deleted", "abuse", "too-large"}, bye.reason)
	case errors.As(err, &refused):
		return refused.Status >= 500 || refused.Status == http.StatusTooManyRequests ||
			refused.Status == http.StatusRequestTimeout
	}
	return true
}

// sender encodes the newest frames and sends them, in its own goroutine.
type sender struct {
	// static after construction
	source  *frameSource
	client  *whipclient.Client
	bitrate int // bit/s
	done    chan struct{}

	latest atomic.Int64 // ticks of 90 kHz, of the latest frame that was sent

	// owned by run
	encoder *vpx.Encoder // nil before the first frame
	err     error        // read it after done; nil at the end of a video
}

func (s *sender) run(ctx context.Context) {
	defer close(s.done)
	s.err = s.frames(ctx)
	if s.encoder != nil {
		s.err = errors.Join(s.err, s.encoder.Close())
	}
}

// frames sends until the video or ctx ends. The first frame is a key frame, as every encoder's is.
func (s *sender) frames(ctx context.Context) error {
	for {
		f, ok := s.source.next(ctx)
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
			return &permanentError{err.Error()}
		}
	}
	unit, err := s.encoder.Encode(f, key)
	if err != nil {
		return &permanentError{err.Error()}
	}
	s.latest.Store(int64(f.Arrived.Sub(s.source.began)) * 9 / 100000)
	return s.client.WriteUnit(unit)
}

// at returns the time since the first frame of a frame with this RTP timestamp, which was sent within half a cycle of
// it.
func (s *sender) at(rtp uint32) time.Duration {
	latest := s.latest.Load()
	ticks := latest + int64(int32(rtp-uint32(latest)))
	return time.Duration(max(0, ticks)) * 100000 / 9
}
