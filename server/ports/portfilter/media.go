package portfilter

import (
	"encoding/binary"
	"time"
)

const (
	rtpHeader  = 12
	leastTag   = 10               // bytes of authentication (RFC 5764, section 4.1.2)
	leastSRTCP = 8 + 4 + leastTag // header, index, tag (RFC 3711, section 3.4)

	senderReport   = 200
	extendedReport = 207
)

// isMedia tells SRTP and SRTCP as RFC 7983 does; their version is then 2.
func isMedia(p []byte) bool { return p[0] >= 128 && p[0] < 192 }

// judgeMedia looks at what is not encrypted of SRTP and SRTCP (RFC 3711, section 3): a header that fits, of
// a stream that is not one too many.
func (g *Guest) judgeMedia(p []byte, now time.Time) reason {
	if len(p) > 1 && p[1] >= 192 && p[1] < 224 { // RFC 5761, section 4
		return g.judgeReport(p, now)
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
	if len(p) < header+leastTag {
		return badRTP
	}
	if !g.media.has(binary.BigEndian.Uint32(p[8:])) {
		return tooManyStreams
	}
	return passed
}

// judgeReport bounds reports more tightly than media: Pion keeps a copy of each for every stream that it names, of
// which there can be hundreds.
func (g *Guest) judgeReport(p []byte, now time.Time) reason {
	switch {
	case len(p) < leastSRTCP, len(p) > maxReport, p[1] < senderReport, p[1] > extendedReport:
		return badRTCP
	case !g.control.has(binary.BigEndian.Uint32(p[4:])):
		return tooManyStreams
	case !g.reports.take(reportRate, reportBurst, now):
		return tooMany
	}
	return passed
}
