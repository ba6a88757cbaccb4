package portfilter

import "encoding/binary"

// RFC 6347, sections 4.1 and 4.2.2.
const (
	recordHeader    = 13
	handshakeHeader = 12
	maxRecord       = 1<<14 + 2048
	maxMessage      = 1 << 14 // bytes of a handshake message; a publisher's certificate has a few hundred
	maxMessageSeq   = 32
	minEncrypted    = 17 // bytes of an encrypted body: a tag and at least one byte

	changeCipherSpec = 20
	alertRecord      = 21
	handshakeRecord  = 22
	applicationData  = 23

	clientHello       = 1
	certificate       = 11
	certificateVerify = 15
	clientKeyExchange = 16
)

// isDTLS reports whether p is DTLS, as RFC 7983 demultiplexes.
func isDTLS(p []byte) bool { return p[0] >= 20 && p[0] < 64 }

// isEncrypted reports whether a datagram of the server's begins with an encrypted DTLS record.
func isEncrypted(p []byte) bool {
	return len(p) > recordHeader && isDTLS(p) && binary.BigEndian.Uint16(p[3:]) > 0
}

// checkRecords checks each record of a datagram. In the clear, only the handshake messages of clients and
// ChangeCipherSpec pass: an alert or data in the clear may be forged, and Pion would end the connection over it.
func (peer *Peer) checkRecords(p []byte) reason {
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
		if why := peer.checkRecord(kind, epoch, body); why != passed {
			return why
		}
	}
	return passed
}

func (peer *Peer) checkRecord(kind byte, epoch uint16, body []byte) reason {
	switch {
	case epoch == 0 && kind == handshakeRecord:
		return peer.checkHandshake(body)
	case epoch == 0 && kind == changeCipherSpec && len(body) == 1 && body[0] == 1:
		return passed
	case epoch != 1 || len(body) < minEncrypted:
		return badRecord
	case kind == handshakeRecord: // Finished and its repetitions
		peer.finished++
		if peer.finished > maxFinished {
			return tooManyHandshakes
		}
		return passed
	case kind == alertRecord, kind == applicationData:
		return passed
	}
	return badRecord
}

// checkHandshake checks the messages of a record, or fragments of them (RFC 6347, section 4.2.3).
func (peer *Peer) checkHandshake(body []byte) reason {
	peer.handshakes++
	peer.handshakeBytes += len(body)
	if peer.handshakes > maxHandshakes || peer.handshakeBytes > maxHandshakeBytes {
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
