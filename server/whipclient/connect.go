package whipclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

const (
	maxAnswer = 1 << 20 // bytes
	// publicWait is how long a server's public address waits for an address on this network to answer. Pion's half
	// second is for peers, whose public address is a worse path than others; a server's is usually the only path.
	publicWait   = 100 * time.Millisecond
	ticketHeader = "Mindflow-Ticket" // web/PROTOCOL.md, section 1.1
)

// capabilities are the codecs a client can publish.
var capabilities = map[pipeline.Codec]webrtc.RTPCodecCapability{
	pipeline.VP8: {MimeType: webrtc.MimeTypeVP8, ClockRate: clockRate},
	pipeline.H264: {MimeType: webrtc.MimeTypeH264, ClockRate: clockRate,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
	pipeline.VP9: {MimeType: webrtc.MimeTypeVP9, ClockRate: clockRate, SDPFmtpLine: "profile-id=0"},
	pipeline.AV1: {MimeType: webrtc.MimeTypeAV1, ClockRate: clockRate, SDPFmtpLine: "profile=0"},
}

// open makes the peer connection with its track and channels.
func (c *Client) open(config webrtc.Configuration) error {
	capability, ok := capabilities[c.options.Codec]
	if !ok {
		return fmt.Errorf("cannot publish codec %q: use VP8, H264, VP9 or AV1", c.options.Codec)
	}
	api, err := newAPI(capability, c.options)
	if err != nil {
		return err
	}
	if c.pc, err = api.NewPeerConnection(config); err != nil {
		return fmt.Errorf("make peer connection: %w", err)
	}
	if err := c.populate(capability); err != nil {
		_ = c.pc.GracefulClose() // the first error is the one to return
		return err
	}
	return nil
}

func newAPI(capability webrtc.RTPCodecCapability, o Options) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: capability, PayloadType: 96}
	if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, fmt.Errorf("register codec: %w", err)
	}
	feedback := &interceptor.Registry{}
	if o.Conditions != (Conditions{}) {
		feedback.Add(o.Conditions) // the first is the nearest to the network
	}
	if err := webrtc.ConfigureNack(media, feedback); err != nil {
		return nil, fmt.Errorf("configure NACK: %w", err)
	}
	if err := webrtc.ConfigureRTCPReports(feedback); err != nil {
		return nil, fmt.Errorf("configure reports: %w", err)
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(media, feedback); err != nil {
		return nil, fmt.Errorf("configure transport-wide numbers: %w", err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.SetSrflxAcceptanceMinWait(publicWait)
	if o.Net != nil {
		settings.SetNet(o.Net)
	}
	if o.TCP {
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(feedback),
		webrtc.WithSettingEngine(settings)), nil
}

func (c *Client) populate(capability webrtc.RTPCodecCapability) (err error) {
	if c.track, err = webrtc.NewTrackLocalStaticRTP(capability, "video", "whipclient"); err != nil {
		return fmt.Errorf("make track: %w", err)
	}
	transceiver, err := c.pc.AddTransceiverFromTrack(c.track,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return fmt.Errorf("add track: %w", err)
	}
	if c.writer, err = newWriter(c.track, c.options); err != nil {
		return err
	}
	unordered, never := false, uint16(0) // late labels are useless
	init := &webrtc.DataChannelInit{Ordered: &unordered, MaxRetransmits: &never}
	labels, err := c.pc.CreateDataChannel("labels", init)
	if err != nil {
		return fmt.Errorf("create labels channel: %w", err)
	}
	if c.control, err = c.pc.CreateDataChannel("control", nil); err != nil {
		return fmt.Errorf("create control channel: %w", err)
	}
	labels.OnMessage(func(m webrtc.DataChannelMessage) { c.take(m.Data, false) })
	c.control.OnMessage(func(m webrtc.DataChannelMessage) { c.say(m.Data) })
	c.control.OnOpen(func() { c.opened.Do(func() { close(c.ready) }) })
	c.pc.SCTP().OnClose(func(error) { c.end() })
	c.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			c.end()
		}
	})
	c.work.Add(1)
	go c.readFeedback(transceiver.Sender())
	return nil
}

// say passes on a message of the control channel, if it is JSON.
func (c *Client) say(data []byte) {
	var v Control
	if json.Unmarshal(data, &v) == nil {
		keepNewest(c.controls, v)
	}
}

// readFeedback reads RTCP, which Pion needs, and passes on key frame requests.
func (c *Client) readFeedback(sender *webrtc.RTPSender) {
	defer c.work.Done()
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return // closed
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				select {
				case c.keys <- struct{}{}:
				default:
				}
			}
		}
	}
}

// offer applies an offer of the client's and waits for its candidates.
func (c *Client) offer(ctx context.Context, o *webrtc.OfferOptions) (*webrtc.SessionDescription, error) {
	offer, err := c.pc.CreateOffer(o)
	if err != nil {
		return nil, fmt.Errorf("create offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return nil, fmt.Errorf("apply offer: %w", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return nil, fmt.Errorf("gather candidates: %w", ctx.Err())
	}
	return c.pc.LocalDescription(), nil
}

// publish sends the offer and applies the answer.
func (c *Client) publish(ctx context.Context, url string) error {
	offer, err := c.offer(ctx, nil)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/sdp"}}
	if c.options.Ticket != "" {
		header.Set(ticketHeader, c.options.Ticket)
	}
	res, err := c.do(ctx, http.MethodPost, url, offer.SDP, header)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusCreated {
		return refused(res, answer)
	}
	location, err := res.Location()
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	c.session, c.ticket, c.endpoint = location.String(), ticket(res), res.Request.URL.Host
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}
	if err := c.pc.SetRemoteDescription(remote); err != nil {
		return fmt.Errorf("apply answer: %w", err)
	}
	return nil
}

// remove deletes the session, if there is one.
func (c *Client) remove(ctx context.Context) error {
	if c.session == "" {
		return nil
	}
	res, err := c.do(ctx, http.MethodDelete, c.session, "", http.Header{})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotFound { // 404: it ended before
		return refused(res, nil)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, url, body string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, url, err)
	}
	req.Header = header
	if c.options.Token != "" && (c.endpoint == "" || c.endpoint == req.URL.Host) { // a Location may name any host
		req.Header.Set("Authorization", "Bearer "+c.options.Token)
	}
	return c.options.Client.Do(req)
}
