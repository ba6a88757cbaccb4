package portfilter

import "encoding/binary"

// RFC 6347, sections 4.1 and 4.2.2.
const (
	recordHeader    = 13
	handshakeHeader = 12
	maxRecord       = 1<<14 + 2048
	maxMessage      = 1 << 14 // bytes of a handshake message; a publisher's certificate has a few hundred
	maxMessageSeq   = 32
	leastSealed     = 17 // bytes of what is encrypted: a tag and something

	changeCipherSpec = 20
	alertRecord      = 21
	handshakeRecord  = 22
	applicationData  = 23

	clientHello       = 1
	certificate       = 11
	certificateVerify = 15
	clientKeyExchange = 16
)

// isDTLS tells DTLS as RFC 7983 does.
func isDTLS(p []byte) bool { return p[0] >= 20 && p[0] < 64 }

// isSealed tells a datagram that begins with an encrypted DTLS record, of those that the server itself sends.
func isSealed(p []byte) bool {
	return len(p) > recordHeader && isDTLS(p) && binary.BigEndian.Uint16(p[3:]) > 0
}

// judgeRecords looks at each record of a datagram. In the clear pass only the handshake messages that clients send and
// the change of cipher: an alert or data in the clear is anybody's, and Pion would end the connection over it.
func (g *Guest) judgeRecords(p []byte) reason {
	for len(p) > 0 {
		if len(p) < recordHeader {
			return badRecord
		}
		kind, version := p[0], binary.BigEndian.Uint16(p[1:])
		epoch, size := binary.BigEndian.Uint16(p[3:]), int(binary.BigEndian.Uint16(p[11:]))
		if version != 0xfeff && version != 0xfefd || size == 0 || size > maxRecord || recordHeader+size > len(p) {
			return badRecord
		}
		body := p[recordHeader : recordHeader+size]
		p = p[recordHeader+size:]
		if why := g.judgeRecord(kind, epoch, body); why != passed {
			return why
		}
	}
	return passed
}

func (g *Guest) judgeRecord(kind byte, epoch uint16, body []byte) reason {
	switch {
	case epoch == 0 && kind == handshakeRecord:
		return g.judgeHandshake(body)
	case epoch == 0 && kind == changeCipherSpec && len(body) == 1 && body[0] == 1:
		return passed
	case epoch != 1 || len(body) < leastSealed:
		return badRecord
	case kind == handshakeRecord: // Finished, and its repetitions
		g.finished++
		if g.finished > maxFinished {
			return tooManyHandshakes
		}
		return passed
	case kind == alertRecord, kind == applicationData:
		return passed
	}
	return badRecord
}

// judgeHandshake looks at the messages of a record, or fragments of them (RFC 6347, section 4.2.3).
func (g *Guest) judgeHandshake(body []byte) reason {
	g.handshakes++
	g.handshakeBytes += len(body)
	if g.handshakes > maxHandshakes || g.handshakeBytes > maxHandshakeBytes {
		return tooManyHandshakes
	}
	for len(body) > 0 {
		if len(body) < handshakeHeader {
			return badRecord
		}
		switch body[0] {
		case clientHello, certificate, certificateVerify, clientKeyExchange:
		default:
			return wrongRole
		}
		length, offset, size := uint24(body[1:]), uint24(body[6:]), uint24(body[9:])
		if binary.BigEndian.Uint16(body[4:]) > maxMessageSeq || length > maxMessage ||
			size == 0 || offset+size > length || handshakeHeader+size > len(body) {
			return badRecord
		}
		if size < length && handshakeHeader+size < len(body) {
			return badRecord // a fragment stands alone: Pion would take what follows for the rest of it
		}
		body = body[handshakeHeader+size:]
	}
	return passed
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
