package portfilter

import (
	"encoding/binary"
	"time"
)

const (
	rtpHeader = 12
	minTag    = 10             // bytes of authentication (RFC 5764, section 4.1.2)
	minSRTCP  = 8 + 4 + minTag // header, index, tag (RFC 3711, section 3.4)

	senderReport   = 200
	extendedReport = 207
)

// isMedia reports whether p is SRTP or SRTCP, as RFC 7983 demultiplexes; their version is then 2.
func isMedia(p []byte) bool { return p[0] >= 128 && p[0] < 192 }

// checkMedia checks the unencrypted part of SRTP and SRTCP (RFC 3711, section 3): the header fits, and the stream is
// not one too many.
func (peer *Peer) checkMedia(p []byte, now time.Time) reason {
	if len(p) > 1 && p[1] >= 192 && p[1] < 224 { // RFC 5761, section 4
		return peer.checkReport(p, now)
	}
	if len(p) < rtpHeader {
		return badRTP
	}
	header := rtpHeader + 4*int(p[0]&15)
	if p[0]&16 != 0 { // an extension
		if len(p) < header+4 {
			return badRTP
		}
		header += 4 + 4*int(binary.BigEndian.Uint16(p[header+2:]))
	}
	if len(p) < header+minTag {
		return badRTP
	}
	if !peer.media.allow(binary.BigEndian.Uint32(p[8:])) {
		return tooManyStreams
	}
	return passed
}

// checkReport bounds reports more tightly than media: Pion copies each report for every stream that it names, which can
// be hundreds.
func (peer *Peer) checkReport(p []byte, now time.Time) reason {
	switch {
	case len(p) < minSRTCP, len(p) > maxReport, p[1] < senderReport, p[1] > extendedReport:
		return badRTCP
	case !peer.control.allow(binary.BigEndian.Uint32(p[4:])):
		return tooManyStreams
	case !peer.reports.AllowN(now, 1):
		return tooMany
	}
	return passed
}
