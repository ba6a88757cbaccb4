package session

import (
	"fmt"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/stun"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
	"mindflow/server/offer"
	"mindflow/server/ports"
)

const (
	// replayWindow is in packets. Retransmitted packets are behind the newest by more than Pion's window of 64 while a
	// key frame of hundreds of packets is sent.
	replayWindow = 1024

	// receiveBuffer is how many bytes a publisher may send on data channels before they are read: a few requests. A
	// larger message never arrives whole, and takes no more of the server's memory.
	receiveBuffer = 128 << 10
)

// newAPI makes the factory of peer connections. The packets of all sessions pass through the ports of m.
func newAPI(m *ports.Media, c offer.Codecs, logs logging.LoggerFactory) (*webrtc.API, error) {
	media, err := newMediaEngine(c)
	if err != nil {
		return nil, err
	}
	feedback, err := newFeedback()
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{LoggerFactory: logs}
	settings.SetICEUDPMux(m.UDPMux())
	// A lite agent answers connectivity checks and makes none (RFC 8445, section 2.5): no response is read on the media
	// ports, and nothing is sent to the addresses in an offer, which may be anybody's. The browser, a full agent, makes
	// the checks.
	settings.SetLite(true)
	settings.SetICEBindingRequestHandler(nominated)
	settings.DisableActiveTCP(true)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if tcp := m.TCPMux(); tcp != nil {
		settings.SetICETCPMux(tcp)
		settings.SetIPFilter(m.OffersTCP) // called for TCP alone: the UDP mux knows its addresses
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	settings.SetNetworkTypes(networks)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetSRTPReplayProtectionWindow(replayWindow)
	settings.DetachDataChannels() // Pion's own reader stops at the first message that is too large
	settings.SetSCTPMaxReceiveBufferSize(receiveBuffer)
	// The publisher begins the DTLS handshake: for one that never comes, nothing is sent and no timer runs.
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("set DTLS role: %w", err)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(feedback),
		webrtc.WithSettingEngine(settings)), nil
}

// nominated has Pion use the pair that a check nominates, as a lite agent does (RFC 8445, section 7.3.2). By itself
// Pion would wait for the response to a check of its own. It is called after the check's integrity was verified.
func nominated(check *stun.Message, _, _ ice.Candidate, _ *ice.CandidatePair) bool {
	return check.Contains(stun.AttrUseCandidate)
}

// formats are the format parameters of a codec that browsers offer and the decoder supports: 8-bit 4:2:0.
var formats = map[pipeline.Codec][]string{
	pipeline.VP8:  {""},
	pipeline.H264: h264Formats(),
	pipeline.VP9:  {"profile-id=0"}, // profile 2 has 10 bits
	pipeline.AV1:  {"profile=0"},    // main
}

// h264Formats returns baseline, constrained baseline, main, high and constrained high, each in both packetization
// modes. The sender chooses its level (RFC 6184, section 8.2.2).
func h264Formats() (list []string) {
	for _, profile := range []string{"42001f", "42e01f", "4d001f", "64001f", "640c1f"} {
		for mode := 1; mode >= 0; mode-- {
			list = append(list,
				fmt.Sprintf("level-asymmetry-allowed=1;packetization-mode=%d;profile-level-id=%s", mode, profile))
		}
	}
	return list
}

// newMediaEngine lists what is negotiated. urn:3gpp:video-orientation is left out on purpose: a sender then rotates the
// picture itself.
func newMediaEngine(c offer.Codecs) (*webrtc.MediaEngine, error) {
	media := &webrtc.MediaEngine{}
	if err := registerCodecs(media, c.List()); err != nil {
		return nil, err
	}
	if err := registerAudio(media); err != nil {
		return nil, err
	}
	for _, uri := range append([]string{sdp.TransportCCURI, sdp.SDESMidURI}, offer.StreamIDs...) {
		extension := webrtc.RTPHeaderExtensionCapability{URI: uri}
		if err := media.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, fmt.Errorf("register %s: %w", uri, err)
		}
	}
	return media, nil
}

// registerCodecs registers the codecs, each with retransmissions (RFC 4588).
func registerCodecs(media *webrtc.MediaEngine, list []pipeline.Codec) error {
	payloadType := webrtc.PayloadType(96)
	for _, codec := range list {
		for _, format := range formats[codec] {
			if err := registerVideo(media, payloadType, "video/"+string(codec), format); err != nil {
				return err
			}
			payloadType += 2
			if payloadType == 128 { // RFC 3551, section 6: dynamic types end at 127; 35 to 63 are left
				payloadType = 35
			}
		}
	}
	return nil
}

func registerVideo(media *webrtc.MediaEngine, payloadType webrtc.PayloadType, mime, format string) error {
	video := webrtc.RTPCodecParameters{PayloadType: payloadType, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: mime, ClockRate: 90000, SDPFmtpLine: format,
		RTCPFeedback: []webrtc.RTCPFeedback{
			{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}, {Type: "goog-remb"},
		},
	}}
	repair := webrtc.RTPCodecParameters{PayloadType: payloadType + 1, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: "video/rtx", ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", payloadType),
	}}
	for _, codec := range []webrtc.RTPCodecParameters{video, repair} {
		if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeVideo); err != nil {
			return fmt.Errorf("register %s: %w", codec.MimeType, err)
		}
	}
	return nil
}

// registerAudio registers the usual audio codecs, so that an audio section can be answered "inactive". A section that
// is rejected makes Chromium reject the whole bundle when it is the first and the policy is max-bundle, as RFC 9725
// asks for.
func registerAudio(media *webrtc.MediaEngine) error {
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	pcmu := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}
	pcma := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA, ClockRate: 8000}
	for _, codec := range []webrtc.RTPCodecParameters{
		{PayloadType: 111, RTPCodecCapability: opus},
		{PayloadType: 0, RTPCodecCapability: pcmu},
		{PayloadType: 8, RTPCodecCapability: pcma},
	} {
		if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeAudio); err != nil {
			return fmt.Errorf("register %s: %w", codec.MimeType, err)
		}
	}
	return nil
}

// newFeedback makes the feedback that Pion sends by itself: receiver reports and transport-wide congestion control. The
// rest is sent by server/receive.
func newFeedback() (*interceptor.Registry, error) {
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, fmt.Errorf("make receiver reports: %w", err)
	}
	arrivals, err := twcc.NewSenderInterceptor()
	if err != nil {
		return nil, fmt.Errorf("make transport-wide feedback: %w", err)
	}
	registry := &interceptor.Registry{}
	for _, f := range []interceptor.Factory{reports, arrivals} {
		registry.Add(f)
	}
	return registry, nil
}
