package portfilter

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	stunHeader     = 20
	magicCookie    = 0x2112A442
	bindingRequest = 0x0001
	bindingSuccess = 0x0101

	attrUsername     = 0x0006
	attrIntegrity    = 0x0008
	attrPriority     = 0x0024
	attrUseCandidate = 0x0025
	attrOldMapped    = 0x8020 // Pion takes it for XOR-MAPPED-ADDRESS, which no request has
	attrFingerprint  = 0x8028
	attrControlled   = 0x8029
	optional         = 0x8000 // attributes from here on are comprehension-optional (RFC 8489, section 14)
	fingerprintXOR   = 0x5354554e
	maxUsername      = 513 // bytes (RFC 8489, section 14.3)
	maxAttributes    = 32
	lenIntegrity     = 20
	attributeHeader  = 4
	lenPriority      = 4
	lenFingerprint   = 4
)

// isSTUN reports whether p is STUN as RFC 7983 demultiplexes, or as Pion does: by the cookie alone, whatever the first
// byte.
func isSTUN(p []byte) bool {
	return p[0] < 4 || len(p) >= 8 && binary.BigEndian.Uint32(p[4:]) == magicCookie
}

// isBinding reports whether a packet of the server's is a binding message of a type.
func isBinding(p []byte, kind uint16) bool {
	return len(p) >= stunHeader && binary.BigEndian.Uint16(p) == kind && binary.BigEndian.Uint32(p[4:]) == magicCookie
}

// readRequest reads an ICE binding request (RFC 8445, section 7.1.1; RFC 8489, section 5) and returns the server's
// ufrag of its USERNAME. The request is strictly valid: lengths add up, comprehension-required attributes are ICE's,
// only FINGERPRINT follows MESSAGE-INTEGRITY, and it is correct.
func readRequest(p []byte) (ufrag []byte, why reason) {
	if len(p) < stunHeader || binary.BigEndian.Uint32(p[4:]) != magicCookie {
		return nil, badSTUN
	}
	if binary.BigEndian.Uint16(p) != bindingRequest {
		return nil, noRequest
	}
	if int(binary.BigEndian.Uint16(p[2:])) != len(p)-stunHeader || len(p)%4 != 0 {
		return nil, badSTUN
	}
	var integrity bool
	for at, n := stunHeader, 0; at < len(p); n++ {
		kind, size := binary.BigEndian.Uint16(p[at:]), int(binary.BigEndian.Uint16(p[at+2:]))
		next := at + attributeHeader + (size+3)&^3
		if next > len(p) || n == maxAttributes || integrity && kind != attrFingerprint {
			return nil, badSTUN
		}
		value := p[at+attributeHeader : at+attributeHeader+size]
		switch {
		case kind == attrUsername && ufrag == nil:
			if ufrag = serverPart(value); ufrag == nil {
				return nil, badSTUN
			}
		case kind == attrIntegrity && size == lenIntegrity:
			integrity = true
		case kind == attrPriority && size == lenPriority, kind == attrUseCandidate && size == 0:
		case kind == attrFingerprint && size == lenFingerprint && next == len(p):
			if binary.BigEndian.Uint32(value) != crc32.ChecksumIEEE(p[:at])^fingerprintXOR {
				return nil, badSTUN
			}
		case kind == attrControlled:
			return nil, noRequest // a full agent controls a lite one (RFC 8445, section 6.1.1)
		case kind < optional, kind == attrOldMapped, kind == attrFingerprint:
			return nil, badSTUN
		}
		at = next
	}
	switch {
	case ufrag == nil:
		return nil, badSTUN
	case !integrity:
		return nil, noIntegrity
	}
	return ufrag, passed
}

// serverPart returns SERVER of a username SERVER:CLIENT, or nil.
func serverPart(username []byte) []byte {
	if len(username) > maxUsername {
		return nil
	}
	for i, c := range username {
		if c == ':' && i > 0 && i < len(username)-1 {
			return username[:i]
		}
	}
	return nil
}
