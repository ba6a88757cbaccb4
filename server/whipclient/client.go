// Package whipclient publishes encoded video to a WHIP server (RFC 9725) and reads the labels that come back. It is
// used by load tests, by cameras without a browser, and by the server's own tests.
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
	labelQueue   = 16 // messages that wait for a slow reader of Labels
	controlQueue = 16
	removeTime   = 2 * time.Second // for the DELETE of a session that could not be connected
)

// Options are what is published, and how.
type Options struct {
	Codec  pipeline.Codec // VP8, H264, VP9 or AV1
	Client *http.Client   // default: http.DefaultClient
	// Token is sent with every request as a bearer token (RFC 9725, section 4.9). It is not logged. Optional.
	Token string
	// Ticket is an earlier RefusedError.Ticket or Client.Ticket, to keep the place in the queue or the slot. Optional.
	Ticket string
	// Drop reports whether a packet is dropped. It is not retransmitted. Optional.
	Drop func(*rtp.Packet) bool
	// Conditions are the network's. Packets that it loses may be retransmitted.
	Conditions Conditions
	// TCP connects over TCP only (RFC 6544), as if UDP were blocked.
	TCP bool
	// Net has the addresses and sockets for ICE; default: this host's.
	Net transport.Net
	// Relay connects through the server's TURN only, which is asked for before the offer is sent (RFC 9725, section
	// 4.6).
	Relay bool
	// Fallback reads labels over HTTP while their data channel is stalled, as after an outage.
	Fallback bool
	// OnSend is called just before a unit is sent, with its RTP timestamp. Optional.
	OnSend func(rtp uint32)
}

// Control is a message of the server's on the control channel: web/PROTOCOL.md.
type Control struct {
	V       int     `json:"v"`
	Type    string  `json:"type"`
	ID      *int64  `json:"id"` // of the request; nil when it answers none
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Reason  string  `json:"reason"`
	Session string  `json:"session"`
	Model   Model   `json:"model"`
	Models  []Model `json:"models"` // to choose from

	MaxSide      int     `json:"max_side"`      // useful pixels of a frame's longer side; zero means unknown
	MaxFramerate float64 `json:"max_framerate"` // useful frames a second; zero means unknown
}

// Model is what the server says about a classifier.
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
	endpoint string // host and port that the session was opened at; empty before
	labels   chan pipeline.Message
	controls chan Control
	keys     chan struct{}
	ready    chan struct{} // closed when connected and the control channel is open
	done     chan struct{} // closed when the connection has ended
	work     sync.WaitGroup

	fallback fallback
	writer   writer // owned by the caller of WriteUnit
	requests atomic.Int64
	over     sync.Once
	opened   sync.Once
}

// Dial publishes to the WHIP endpoint at url. It returns when the connection is established, or an error when the
// server refuses or ctx ends. Close the client afterwards.
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
		fallback: fallback{heard: make(chan struct{}, 1)},
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
		if c.options.Fallback {
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

// Session returns the session's URL.
func (c *Client) Session() string { return c.session }

// Ticket returns what the publisher's next client sends to take over the slot when this one's connection is lost. It is
// empty when the server gives none.
func (c *Client) Ticket() string { return c.ticket }

// Labels delivers the messages with labels. A slow reader misses the oldest.
func (c *Client) Labels() <-chan pipeline.Message { return c.labels }

// Controls delivers the server's messages on the control channel: hello, answers, hints, bye. A slow reader misses the
// oldest.
func (c *Client) Controls() <-chan Control { return c.controls }

// KeyframeRequests is signalled when the server requests a key frame.
func (c *Client) KeyframeRequests() <-chan struct{} { return c.keys }

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Request sends a request on the control channel and returns its id, which the answer has too.
func (c *Client) Request(kind string) (id int64, err error) {
	id = c.requests.Add(1)
	return id, c.SendControl(fmt.Sprintf(`{"v":%d,"type":%q,"id":%d}`, pipeline.Version, kind, id))
}

// SendControl sends text on the control channel unchanged.
func (c *Client) SendControl(text string) error {
	if err := c.control.SendText(text); err != nil {
		return fmt.Errorf("send on control channel: %w", err)
	}
	return nil
}

// Close ends the session by DELETE and frees everything. It returns the error of the DELETE, unless the session had
// ended before.
func (c *Client) Close(ctx context.Context) error {
	err := c.remove(ctx)
	return errors.Join(err, c.Abort())
}

// Abort drops the connection without telling the server.
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
