package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

// Codecs lists what can be served.
func Codecs() []pipeline.Codec {
	return []pipeline.Codec{pipeline.VP8, pipeline.H264, pipeline.VP9, pipeline.AV1}
}

// formats are the format parameters of a codec that browsers offer and the decoder takes: 8-bit 4:2:0.
var formats = map[pipeline.Codec][]string{
	pipeline.VP8:  {""},
	pipeline.H264: h264Formats(),
	pipeline.VP9:  {"profile-id=0"}, // profile 2 has 10 bits
	pipeline.AV1:  {"profile=0"},    // main
}

// h264Formats are baseline, constrained baseline, main, high and constrained high, each in both
// packetization modes. The level is the sender's business (RFC 6184, section 8.2.2).
func h264Formats() (list []string) {
	for _, profile := range []string{"42001f", "42e01f", "4d001f", "64001f", "640c1f"} {
		for mode := 1; mode >= 0; mode-- {
			list = append(list, fmt.Sprintf("level-asymmetry-allowed=1;packetization-mode=%d;profile-level-id=%s", mode, profile))
		}
	}
	return list
}

// codecs are those that a server takes.
type codecs struct {
	list    []pipeline.Codec
	ordered bool // by preference; otherwise the publisher's order counts
}

// newCodecs takes wanted in that order, or all in the publisher's order when there is none.
func newCodecs(wanted []pipeline.Codec) (codecs, error) {
	if len(wanted) == 0 {
		return codecs{list: Codecs()}, nil
	}
	for i, c := range wanted {
		if !slices.Contains(Codecs(), c) {
			return codecs{}, fmt.Errorf("codec %q is none of %s", c, join(Codecs()))
		}
		if slices.Contains(wanted[:i], c) {
			return codecs{}, fmt.Errorf("codec %s is named twice", c)
		}
	}
	return codecs{list: wanted, ordered: true}, nil
}

func join(list []pipeline.Codec) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// named finds a codec by its name in SDP, in any case.
func (c codecs) named(name string) (pipeline.Codec, bool) {
	i := slices.IndexFunc(c.list, func(codec pipeline.Codec) bool { return strings.EqualFold(string(codec), name) })
	if i < 0 {
		return "", false
	}
	return c.list[i], true
}

// ofMIME finds a codec by its MIME type, such as video/VP8.
func (c codecs) ofMIME(mime string) (pipeline.Codec, bool) {
	kind, name, _ := strings.Cut(mime, "/")
	if !strings.EqualFold(kind, "video") {
		return "", false
	}
	return c.named(name)
}

// register has media negotiate the codecs, each with its retransmissions (RFC 4588).
func (c codecs) register(media *webrtc.MediaEngine) error {
	payloadType := webrtc.PayloadType(96)
	for _, codec := range c.list {
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
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}, {Type: "goog-remb"}},
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

// prefer puts the formats of an answered video section in the server's order: a publisher sends the
// first (RFC 3264, section 6.1).
func (c codecs) prefer(m *sdp.MediaDescription) {
	if !c.ordered || m.MediaName.Media != "video" {
		return
	}
	rank := map[string]int{}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		payloadType, encoding, _ := strings.Cut(a.Value, " ")
		name, _, _ := strings.Cut(encoding, "/")
		rank[payloadType] = len(c.list) // retransmissions last
		if codec, ok := c.named(name); ok {
			rank[payloadType] = slices.Index(c.list, codec)
		}
	}
	slices.SortStableFunc(m.MediaName.Formats, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
}
