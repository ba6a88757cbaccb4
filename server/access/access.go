// Package access says who may use a server: everybody, whoever knows a shared token, or whoever shows a token that a
// key of the host's has signed (JWT, RFC 7519). Tokens come in the Authorization header alone (RFC 6750, section 2.1).
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// LeastToken is the least length of a shared token, in characters: 128 bits in base64url have 22.
	LeastToken = 22
	mostToken  = 4 << 10 // bytes; what is longer is not looked at
)

// Grant is what a visitor may do.
type Grant struct {
	Subject     string        // who it is, to tell visitors apart; "" where everybody may in
	MaxSessions int           // at a time, of all with this subject; 0 where nothing is said
	SessionTime time.Duration // of the longest session; 0 where nothing is said
	Origins     []string      // of the pages that it is for; none: any
}

// AllowsOrigin says whether a page of origin may use the grant, in addition to what the server allows. Without an
// origin there is no page.
func (g Grant) AllowsOrigin(origin string) bool {
	return len(g.Origins) == 0 || slices.Contains(g.Origins, origin)
}

// Reason says in a word, for programs, why a visitor is not let in.
type Reason string

const (
	Missing  Reason = "missing"  // there is no token
	Unusable Reason = "unusable" // it is no token, or none of this server's
	Expired  Reason = "expired"
)

// DeniedError is why a visitor is not let in. It holds nothing of the token's.
type DeniedError struct {
	Reason Reason
	Detail string // for people, and what to do about it
}

func (e *DeniedError) Error() string { return e.Detail }

// Gate decides who may in. But for what Renewed gives it is not changed after construction. It is safe for use by
// several goroutines.
type Gate struct {
	shared  [][sha256.Size]byte
	signed  *verifier // nil: none
	renewal *renewal  // instead of these two; nil: none
}

// Open lets everybody in.
func Open() *Gate { return &Gate{} }

// New lets in who shows one of the shared tokens, or a token for audience that one of the keys has signed. With neither
// tokens nor keys it is Open. An error says which of them cannot be used, without showing it.
func New(shared []string, keys []Key, audience string) (*Gate, error) {
	g := &Gate{}
	for i, token := range shared {
		if err := checkShared(token); err != nil {
			return nil, fmt.Errorf("token %d: %w", i+1, err)
		}
		g.shared = append(g.shared, sha256.Sum256([]byte(token)))
	}
	if len(keys) > 0 {
		if audience == "" {
			return nil, errors.New("signed tokens need an audience")
		}
		g.signed = newVerifier(keys, audience)
	}
	return g, nil
}

func checkShared(token string) error {
	switch {
	case len(token) < LeastToken:
		return fmt.Errorf("it has fewer than %d characters and can be guessed; `mindflow token shared` makes one", LeastToken)
	case len(token) > mostToken:
		return fmt.Errorf("it has more than %d characters", mostToken)
	case !isToken68(token):
		return errors.New("it holds characters that no bearer token has; use letters, digits and -._~+/")
	}
	return nil
}

// IsOpen says whether everybody may in.
func (g *Gate) IsOpen() bool { return g.renewal == nil && len(g.shared) == 0 && g.signed == nil }

// Check says what who sends these Authorization headers may do at the time now. The error is a *DeniedError.
func (g *Gate) Check(authorization []string, now time.Time) (Grant, error) {
	if g.renewal != nil {
		g = g.renewal.at(now)
	}
	if g.IsOpen() {
		return Grant{}, nil
	}
	token, err := bearer(authorization)
	if err != nil {
		return Grant{}, err
	}
	sum := sha256.Sum256([]byte(token))
	known := 0
	for _, s := range g.shared { // all of them, and sums of one length: the time taken tells nothing
		known |= subtle.ConstantTimeCompare(sum[:], s[:])
	}
	switch {
	case known == 1:
		return Grant{Subject: "shared " + short(sum)}, nil
	case g.signed == nil:
		return Grant{}, &DeniedError{Unusable, "this server does not know this token; ask its host for the one in use"}
	}
	return g.signed.check(token, short(sum), now)
}

// short names a token without telling it.
func short(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:16]) }

// bearer takes the token out of the Authorization headers (RFC 6750, section 2.1).
func bearer(authorization []string) (string, error) {
	switch len(authorization) {
	case 0:
		return "", &DeniedError{Missing, "this server lets in whoever shows a token: send Authorization: Bearer with it"}
	case 1:
	default:
		return "", &DeniedError{Unusable, "send one Authorization header"}
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if token = strings.TrimLeft(token, " "); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", &DeniedError{Unusable, "send the token as Authorization: Bearer TOKEN"}
	}
	if len(token) > mostToken || !isToken68(token) {
		return "", &DeniedError{Unusable, "what the Authorization header holds is no bearer token"}
	}
	return token, nil
}

// isToken68 says whether text is written as a bearer token is (RFC 9110, section 11.2).
func isToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && !strings.ContainsFunc(body, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~+/", r))
	})
}
