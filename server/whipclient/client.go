// Package whipclient publishes video to a WHIP server (RFC 9725) and reads the labels that come back:
// for load tests, cameras without a browser, and the server's own tests. The units it sends are coded
// already; it codes nothing.
package whipclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v2"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

const (
	labelQueue   = 16 // messages kept for a slow reader of Labels
	controlQueue = 16
	removeTime   = 2 * time.Second // for the DELETE of a session that was not reached
)

// Options says what is published, and how.
type Options struct {
	Codec  pipeline.Codec // VP8, H264, VP9 or AV1
	Client *http.Client   // http.DefaultClient
	// Token is sent with every request as a bearer token (RFC 9725, section 4.9), and shown nowhere. None.
	Token string
	// Ticket is what RefusedError.Ticket or Client.Ticket said before: the client's place in the queue, or its place. None.
	Ticket string
	// Lose says which packets get lost on the way. They are gone for good: nothing repairs them. None.
	Lose func(*rtp.Packet) bool
	// Line is what else befalls packets on the way; what it loses can be repaired. Nothing.
	Line Line
	// TCP connects over TCP alone (RFC 6544), as where UDP is blocked.
	TCP bool
	// Net has the addresses and sockets that ICE uses; this machine's.
	Net transport.Net
	// Relay connects by the server's TURN alone, which it asks for before it posts (RFC 9725, section 4.6).
	Relay bool
	// Detour reads labels by HTTP while their channel is stuck, as after an outage.
	Detour bool
	// Sending is called just before a unit is sent, with its RTP timestamp. None.
	Sending func(rtp uint32)
}

// Control is a message of the server's on the control channel: web/PROTOCOL.md.
type Control struct {
	V       int     `json:"v"`
	Type    string  `json:"type"`
	ID      *int64  `json:"id"` // of the request; nil when it is about none
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Reason  string  `json:"reason"`
	Session string  `json:"session"`
	Model   Model   `json:"model"`
	Models  []Model `json:"models"` // to choose from

	MaxSide      int     `json:"max_side"`      // pixels of a frame's longer side that are of use; 0 is not told
	MaxFramerate float64 `json:"max_framerate"` // frames a second that are of use; 0 is not told
}

// Model is what the server tells of a classifier.
type Model struct {
	Name      string   `json:"name"`
	Labels    []string `json:"labels"`
	Uncertain float32  `json:"uncertain"`
	Attention bool     `json:"attention"`
}

// Client is one publisher.
type Client struct {
	// static after construction
	options  Options
	pc       *webrtc.PeerConnection
	track    *webrtc.TrackLocalStaticRTP
	control  *webrtc.DataChannel
	session  string // its URL
	ticket   string
	endpoint string // host and port that the session was opened at, "" before
	labels   chan pipeline.Message
	controls chan Control
	keys     chan struct{}
	ready    chan struct{} // closed when connected and the control channel is open
	done     chan struct{} // closed when the connection is over
	work     sync.WaitGroup

	detour   detour
	writer   writer // owned by the caller of WriteUnit
	requests atomic.Int64
	over     sync.Once
	opened   sync.Once
}

// Dial publishes to the WHIP endpoint at url. It returns when the connection stands, or with an error
// when the server refuses or ctx ends. The caller must Close the client.
func Dial(ctx context.Context, url string, o Options) (*Client, error) {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	c := &Client{
		options:  o,
		labels:   make(chan pipeline.Message, labelQueue),
		controls: make(chan Control, controlQueue),
		keys:     make(chan struct{}, 1),
		ready:    make(chan struct{}),
		done:     make(chan struct{}),
		detour:   detour{heard: make(chan struct{}, 1)},
	}
	var config webrtc.Configuration
	if o.Relay {
		var err error
		if config, err = c.relays(ctx, url); err != nil {
			return nil, err
		}
	}
	if err := c.open(config); err != nil {
		return nil, err
	}
	if err := c.connect(ctx, url); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime) // ctx may be why it failed
		defer cancel()
		return nil, errors.Join(err, c.Close(closing))
	}
	return c, nil
}

func (c *Client) connect(ctx context.Context, url string) error {
	if err := c.publish(ctx, url); err != nil {
		return err
	}
	select {
	case <-c.ready:
		if c.options.Detour {
			c.work.Add(1)
			go c.watch()
		}
		return nil
	case <-c.done:
		return errors.New("connect: the server ended the connection")
	case <-ctx.Done():
		return fmt.Errorf("connect: %w", ctx.Err())
	}
}

// Session is the session's URL.
func (c *Client) Session() string { return c.session }

// Ticket is to be shown by the next client of the same publisher, when this one's connection is lost: it takes the place over. "" where
// the server gives none.
func (c *Client) Ticket() string { return c.ticket }

// Labels delivers the server's messages. A slow reader misses the oldest.
func (c *Client) Labels() <-chan pipeline.Message { return c.labels }

// Controls delivers what the server says on the control channel: hello, answers, hints, bye. A slow
// reader misses the oldest.
func (c *Client) Controls() <-chan Control { return c.controls }

// KeyframeRequests is signalled when the server cannot go on without a key unit.
func (c *Client) KeyframeRequests() <-chan struct{} { return c.keys }

// Done is closed when the connection is over, whoever ended it.
func (c *Client) Done() <-chan struct{} { return c.done }

// Request asks for type on the control channel and returns the id that the answer will bear.
func (c *Client) Request(kind string) (id int64, err error) {
	id = c.requests.Add(1)
	return id, c.SendControl(fmt.Sprintf(`{"v":%d,"type":%q,"id":%d}`, pipeline.Version, kind, id))
}

// SendControl sends text on the control channel as it is.
func (c *Client) SendControl(text string) error {
	if err := c.control.SendText(text); err != nil {
		return fmt.Errorf("send on control channel: %w", err)
	}
	return nil
}

// Close ends the session by DELETE and frees everything. The error is the DELETE's, when the session
// was there to be deleted.
func (c *Client) Close(ctx context.Context) error {
	err := c.remove(ctx)
	return errors.Join(err, c.Abort())
}

// Abort drops the connection without a word to the server.
func (c *Client) Abort() error {
	err := c.pc.GracefulClose()
	c.end()
	c.work.Wait()
	return err
}

func (c *Client) end() { c.over.Do(func() { close(c.done) }) }

// keepNewest puts v in a full queue by dropping the oldest. One goroutine per queue calls it.
func keepNewest[T any](queue chan T, v T) {
	for {
		select {
		case queue <- v:
			return
		default:
		}
		select {
		case <-queue:
		default:
		}
	}
}
