package portfilter

// reason is why a packet is dropped.
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
	unauthenticated
	badRecord
	wrongRole
	tooManyHandshakes
	badRTP
	badRTCP
	tooManyStreams
	badFrame
	tooManyUnauthenticated
	reasons // their number
)

var reasonNames = [reasons]string{
	passed:                 "passed",
	badSize:                "size",            // empty, or larger than any publisher sends
	unknownKind:            "kind",            // neither STUN nor DTLS nor media (RFC 7983)
	badSTUN:                "stun",            // malformed
	noRequest:              "stun-no-request", // a response, an indication, another method, or a controlled agent
	unknownUser:            "stun-user",       // of no open session
	noIntegrity:            "stun-integrity",  // without MESSAGE-INTEGRITY
	tooMany:                "rate",            // more binding requests or reports than a publisher needs
	tooManyAddresses:       "addresses",       // more addresses than a publisher can have
	unauthenticated:        "stranger",        // DTLS or media from an unauthenticated address
	badRecord:              "dtls",            // malformed, or of no use to a server
	wrongRole:              "dtls-role",       // a handshake message that only servers send
	tooManyHandshakes:      "dtls-handshakes", // more handshake records than repetitions explain
	badRTP:                 "rtp",
	badRTCP:                "rtcp",
	tooManyStreams:         "ssrc",            // more streams than a session may have
	badFrame:               "frame",           // a TCP connection that does not begin with a framed request
	tooManyUnauthenticated: "tcp-connections", // more unauthenticated TCP connections than may be open
}

func (r reason) String() string { return reasonNames[r] }
