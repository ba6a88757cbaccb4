package session

import (
	"errors"
	"io"
	"time"

	"github.com/pion/webrtc/v3"
)

// Labels of the data channels that a publisher opens: web/PROTOCOL.md.
const (
	controlLabel = "control"
	labelsLabel  = "labels"
)

const (
	maxRequest  = 16 << 10 // bytes of one request
	maxChannels = 8        // data channels of one session
)

// messageReader reads a data channel, a message a call. For a message that is larger than p it returns
// io.ErrShortBuffer, and the message stays.
type messageReader interface {
	ReadDataChannel(p []byte) (n int, isText bool, err error)
}

// oversizedReader takes messages off a channel that are too large to be of use.
type oversizedReader struct{ buf []byte } // made for the first

// discard takes the next message. One that is larger than the receive buffer by more than a packet never arrives whole.
func (o *oversizedReader) discard(from messageReader) error {
	if o.buf == nil {
		o.buf = make([]byte, 2*receiveBuffer)
	}
	_, _, err := from.ReadDataChannel(o.buf)
	return err
}

// channelOpened takes a data channel that the publisher opened, on the control loop. Every channel is read, also those
// without use: unread messages would fill the connection's receive window.
func (s *Session) channelOpened(dc *webrtc.DataChannel) {
	raw, err := dc.Detach()
	if err != nil {
		s.failed("control", "take data channel", err)
		s.End(EndInternal)
		return
	}
	s.channels++
	switch {
	case s.channels > maxChannels:
		s.End(EndAbuse)
	case dc.Label() == labelsLabel && s.labels.CompareAndSwap(nil, dc):
		s.spawn("labels channel", func() { discard(raw) })
	case dc.Label() == controlLabel && s.control == nil:
		s.control = dc
		s.say(s.hello())
		s.sayHint()
		if s.draining {
			s.sayDraining()
		}
		s.frameRate.begin(time.Now(), s.frameCounts())
		s.spawn("control channel", func() { s.readRequests(raw) })
	default:
		if err := dc.Close(); err != nil {
			s.log.Debug("close data channel", "label", dc.Label(), "err", err)
		}
		s.spawn("unknown channel", func() { discard(raw) })
	}
}

// readRequests has the control loop serve what comes on the control channel, until the channel or the connection ends.
// It waits while the loop's inbox is full, so that the publisher's own flow control slows it down.
func (s *Session) readRequests(from messageReader) {
	buf := make([]byte, maxRequest)
	var oversized oversizedReader
	for {
		n, isText, err := from.ReadDataChannel(buf)
		var r request
		var bad *reply
		switch {
		case errors.Is(err, io.ErrShortBuffer):
			if oversized.discard(from) != nil {
				return
			}
			bad = refusal(nil, "too-large", "a request may have 16384 bytes")
		case err != nil:
			return
		case !isText:
			bad = refusal(nil, "bad-message", "a request is text, not bytes")
		default:
			r, bad = parseRequest(buf[:n])
		}
		s.post(func() { s.answer(r, bad) })
	}
}

// discard reads a channel whose messages have no use.
func discard(from messageReader) {
	var oversized oversizedReader
	var buf [1]byte
	for {
		_, _, err := from.ReadDataChannel(buf[:])
		if errors.Is(err, io.ErrShortBuffer) {
			err = oversized.discard(from)
		}
		if err != nil {
			return
		}
	}
}
