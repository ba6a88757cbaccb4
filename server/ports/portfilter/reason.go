package portfilter

// reason says why a packet was not let through.
type reason int

const (
	passed reason = iota
	badSize
	unknownKind
	badSTUN
	noRequest
	unknownUser
	noIntegrity
	tooMany
	tooManyAddresses
	stranger
	badRecord
	wrongRole
	tooManyHandshakes
	badRTP
	badRTCP
	tooManyStreams
	badFrame
	tooManyStrangers
	reasons // how many there are
)

var reasonNames = [reasons]string{
	passed:            "passed",
	badSize:           "size",            // empty, or larger than any publisher sends
	unknownKind:       "kind",            // neither STUN nor DTLS nor media (RFC 7983)
	badSTUN:           "stun",            // malformed
	noRequest:         "stun-no-request", // a response, an indication, another method, or an agent in the wrong role
	unknownUser:       "stun-user",       // for no live session
	noIntegrity:       "stun-integrity",  // without MESSAGE-INTEGRITY
	tooMany:           "rate",            // more binding requests or reports of a session than its publisher has use for
	tooManyAddresses:  "addresses",       // more addresses of a session than its publisher can have
	stranger:          "stranger",        // DTLS or media from an address that has not passed a check
	badRecord:         "dtls",            // malformed, or of no use to a server
	wrongRole:         "dtls-role",       // a handshake message that only servers send
	tooManyHandshakes: "dtls-handshakes", // more of the handshake than repetitions explain
	badRTP:            "rtp",
	badRTCP:           "rtcp",
	tooManyStreams:    "ssrc",            // more streams than a session may have
	badFrame:          "frame",           // what came by TCP from a stranger was no frame with a request
	tooManyStrangers:  "tcp-connections", // more TCP connections than may wait to be proved at once
}

func (r reason) String() string { return reasonNames[r] }
