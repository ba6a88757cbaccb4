package server

import (
	"errors"
	"io"
	"time"

	"github.com/pion/webrtc/v3"
)

// messageReader reads a data channel, a message a call. A message that is larger than p stays, with io.ErrShortBuffer.
type messageReader interface {
	ReadDataChannel(p []byte) (n int, isText bool, err error)
}

// loser takes messages off a channel that are larger than anybody wants to read.
type loser struct{ buf []byte } // made for the first

// lose takes the next message. One that is larger than the receive buffer by more than a packet never becomes whole.
func (l *loser) lose(from messageReader) error {
	if l.buf == nil {
		l.buf = make([]byte, 2*receiveBuffer)
	}
	_, _, err := from.ReadDataChannel(l.buf)
	return err
}

// channelOpened takes a data channel that the publisher opened, on the control loop. Every channel is
// read, also those that nothing is wanted from: what is left lying would fill the connection's window.
func (s *session) channelOpened(dc *webrtc.DataChannel) {
	raw, err := dc.Detach()
	if err != nil {
		s.failed("control", "take data channel", err)
		s.end(endInternal)
		return
	}
	s.channels++
	switch {
	case s.channels > maxChannels:
		s.end(endAbuse)
	case dc.Label() == labelsLabel && s.labels.CompareAndSwap(nil, dc):
		s.spawn("labels channel", func() { discard(raw) })
	case dc.Label() == controlLabel && s.control == nil:
		s.control = dc
		s.say(s.hello())
		s.sayHint()
		if s.leaving {
			s.sayDraining()
		}
		s.pace.begin(time.Now(), s.frameCounts())
		s.spawn("control channel", func() { s.readRequests(raw) })
	default:
		if err := dc.Close(); err != nil {
			s.log.Debug("close data channel", "label", dc.Label(), "err", err)
		}
		s.spawn("unknown channel", func() { discard(raw) })
	}
}

// readRequests has the control loop serve what comes on the control channel, until the channel or the
// connection is over. When the loop's inbox is full it waits, and the publisher's own flow control
// slows it down.
func (s *session) readRequests(from messageReader) {
	buf := make([]byte, maxRequest)
	var large loser
	for {
		n, isText, err := from.ReadDataChannel(buf)
		var r request
		var bad *reply
		switch {
		case errors.Is(err, io.ErrShortBuffer):
			if large.lose(from) != nil {
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

// discard reads a channel that nothing is wanted from.
func discard(from messageReader) {
	var large loser
	var buf [1]byte
	for {
		_, _, err := from.ReadDataChannel(buf[:])
		if errors.Is(err, io.ErrShortBuffer) {
			err = large.lose(from)
		}
		if err != nil {
			return
		}
	}
}
