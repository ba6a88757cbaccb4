package server

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

	"mindflow/server/ports"
)

const (
	// Packets that a repair brings are behind the newest by more than Pion's window of 64 when a key
	// frame of hundreds of packets is under way.
	replayWindow = 1024

	// What a publisher may send on data channels before it is read: a few requests. A message that is larger
	// than this never comes to its end, and holds no more of the server's memory.
	receiveBuffer = 128 << 10
)

// newAPI returns the factory of peer connections, whose packets all pass through the ports of m.
func newAPI(m *ports.Media, c codecs, logs logging.LoggerFactory) (*webrtc.API, error) {
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
	// A lite agent answers checks and makes none (RFC 8445, section 2.5): no response is read on the media ports, and nothing is
	// sent to the addresses in an offer, which may be anybody's. The browser is a full agent and does the checking.
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
	settings.DetachDataChannels() // Pion's own reading gives a channel up at the first message that is too large
	settings.SetSCTPMaxReceiveBufferSize(receiveBuffer)
	// The publisher begins the DTLS handshake: for one that never comes nothing is sent and no timer runs.
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("set DTLS role: %w", err)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(feedback),
		webrtc.WithSettingEngine(settings)), nil
}

// nominated has Pion send by the pair that a check nominates, as a lite agent does (RFC 8445, section 7.3.2). By itself Pion would wait for
// the response to a check of its own. It is called after the check's integrity was found right.
func nominated(check *stun.Message, _, _ ice.Candidate, _ *ice.CandidatePair) bool {
	return check.Contains(stun.AttrUseCandidate)
}

// newMediaEngine lists what is negotiated. urn:3gpp:video-orientation is left out on purpose: a sender
// then turns the picture upright itself.
func newMediaEngine(c codecs) (*webrtc.MediaEngine, error) {
	media := &webrtc.MediaEngine{}
	if err := c.register(media); err != nil {
		return nil, err
	}
	if err := registerAudio(media); err != nil {
		return nil, err
	}
	for _, uri := range []string{sdp.TransportCCURI, sdp.SDESMidURI} {
		extension := webrtc.RTPHeaderExtensionCapability{URI: uri}
		if err := media.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, fmt.Errorf("register %s: %w", uri, err)
		}
	}
	return media, nil
}

// registerAudio names a codec of every audio section, so that it can be answered "inactive": a section
// that is rejected outright takes Chromium's whole bundle down when it is the first and the policy is
// max-bundle, as RFC 9725 asks for.
func registerAudio(media *webrtc.MediaEngine) error {
	for _, codec := range []webrtc.RTPCodecParameters{
		{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}},
		{PayloadType: 0, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}},
		{PayloadType: 8, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA, ClockRate: 8000}},
	} {
		if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeAudio); err != nil {
			return fmt.Errorf("register %s: %w", codec.MimeType, err)
		}
	}
	return nil
}

// newFeedback is what a receiver tells a sender by itself: what came, and when. What is missing: repairs.
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
