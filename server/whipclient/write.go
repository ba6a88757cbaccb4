package whipclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"

	"mindflow/pipeline"
)

const (
	clockRate  = 90000 // of all video in RTP
	maxPayload = 1188  // bytes: fits every path with SRTP, extensions and IPv6 around it
)

// writer splits units into RTP packets. They have the units' timestamps, by which a label is matched to its frame.
type writer struct {
	track     *webrtc.TrackLocalStaticRTP
	payloader rtp.Payloader
	drop      func(*rtp.Packet) bool
	onSend    func(rtp uint32)
	sequence  uint16
}

func newWriter(track *webrtc.TrackLocalStaticRTP, o Options) (writer, error) {
	w := writer{track: track, drop: o.Drop, onSend: o.OnSend, sequence: uint16(rand.Uint32())}
	switch o.Codec {
	case pipeline.VP8:
		w.payloader = &codecs.VP8Payloader{EnablePictureID: true}
	case pipeline.H264:
		w.payloader = &codecs.H264Payloader{}
	case pipeline.VP9:
		w.payloader = &codecs.VP9Payloader{}
	case pipeline.AV1:
		w.payloader = &codecs.AV1Payloader{}
	default:
		return writer{}, fmt.Errorf("cannot packetize codec %q: use VP8, H264, VP9 or AV1", o.Codec)
	}
	return w, nil
}

// WriteUnit sends one unit. Only one goroutine at a time may call it.
func (c *Client) WriteUnit(u pipeline.Unit) error {
	w := &c.writer
	c.fallback.sent.Add(1)
	if w.onSend != nil {
		w.onSend(u.RTP)
	}
	payloads := w.payloader.Payload(maxPayload, u.Data)
	for i, payload := range payloads {
		p := &rtp.Packet{
			Header: rtp.Header{
				Version: 2, SequenceNumber: w.sequence, Timestamp: u.RTP, Marker: i == len(payloads)-1,
			},
			Payload: payload,
		}
		w.sequence++
		if w.drop != nil && w.drop(p) {
			continue
		}
		if err := w.track.WriteRTP(p); err != nil {
			return fmt.Errorf("send packet: %w", err)
		}
	}
	return nil
}

// Publish sends the units at the times of their timestamps, once or in a loop, until ctx ends or the connection ends.
// In a loop timestamps keep rising. When the server requests a key frame, the next key unit follows at once. The first
// unit must be a key unit. It returns nil at the end of the units, and io.EOF when the server ended the session.
func (c *Client) Publish(ctx context.Context, units []pipeline.Unit, loop bool) error {
	if len(units) == 0 || !units[0].Key {
		return errors.New("publish: the first unit must be a key unit")
	}
	clock := time.NewTimer(0)
	defer clock.Stop()
	began, sent := time.Now(), int64(0) // sent: ticks since began; the units' 32 bits last 13 hours only
	for i := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return io.EOF
		case <-c.keys:
			for !units[i].Key {
				i = (i + 1) % len(units)
			}
			continue
		case <-clock.C:
		}
		u := units[i]
		u.RTP = units[0].RTP + uint32(sent)
		if err := c.WriteUnit(u); err != nil {
			return err
		}
		if i++; i == len(units) && !loop {
			return nil
		}
		i %= len(units)
		sent += int64(step(units, i))
		clock.Reset(time.Until(began.Add(duration(sent))))
	}
}

// duration converts ticks of the RTP clock. It does not overflow for 32 years: nanoseconds are multiplied by no more
// than keeps them whole.
func duration(ticks int64) time.Duration {
	const tenth = clockRate / 10000 // ticks of a tenth of a millisecond
	return time.Duration(ticks) * (time.Second / 10000) / tenth
}

// step returns the time from the unit before i to unit i, in ticks. The first follows the last as the second follows
// the first.
func step(units []pipeline.Unit, i int) uint32 {
	if i == 0 {
		i = min(1, len(units)-1)
	}
	if i == 0 {
		return clockRate / 30
	}
	return units[i].RTP - units[i-1].RTP
}
