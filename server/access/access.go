// Package access authenticates the visitors of a server: by a shared token, by a token that a key of the host has
// signed (JWT, RFC 7519), or not at all. Tokens are read from the Authorization header alone (RFC 6750, section 2.1).
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
	minShared = 22      // characters of a shared token: 128 bits in base64url
	maxToken  = 4 << 10 // bytes; longer tokens are not read
)

// Grant is what an authenticated visitor may do. Zero values mean that the token sets no limit.
type Grant struct {
	Subject     string        // identifies the visitor; "" on an open server
	MaxSessions int           // at a time, of this subject
	SessionTime time.Duration // of a session
	Origins     []string      // of the pages that may use it
}

// AllowsOrigin reports whether a page of origin may use the grant; the server's own rules apply too. The origin is ""
// for a request that no page sends.
func (g Grant) AllowsOrigin(origin string) bool {
	return len(g.Origins) == 0 || slices.Contains(g.Origins, origin)
}

// Reason is why a visitor is denied, in one word for programs.
type Reason string

// The reasons of a DeniedError.
const (
	Missing  Reason = "missing"  // no token
	Unusable Reason = "unusable" // malformed, or not valid for this server
	Expired  Reason = "expired"
)

// DeniedError reports that a visitor may not use the server. It contains no part of the token.
type DeniedError struct {
	Reason Reason
	Detail string // for people, with what to do
}

func (e *DeniedError) Error() string { return e.Detail }

// Authenticator authenticates visitors. It is safe for concurrent use.
type Authenticator struct {
	shared [][sha256.Size]byte
	jwt    *verifier // optional
	reload *reloader // replaces the fields above; optional
}

// Open returns an Authenticator that admits everybody.
func Open() *Authenticator { return &Authenticator{} }

// Signed is which signed tokens an Authenticator accepts.
type Signed struct {
	Keys     []Key         // one of which has signed the token
	Audience string        // that the token names: this server
	MaxLife  time.Duration // how far ahead a token may expire; more is a mistake, such as milliseconds for seconds
}

// New returns an Authenticator that accepts the shared tokens and the signed ones. Without tokens and keys it is Open.
// An error names the shared token at fault by its position, and shows no part of it.
func New(shared []string, signed Signed) (*Authenticator, error) {
	a := &Authenticator{}
	for i, token := range shared {
		if err := checkShared(token); err != nil {
			return nil, fmt.Errorf("token %d: %w", i+1, err)
		}
		a.shared = append(a.shared, sha256.Sum256([]byte(token)))
	}
	switch {
	case len(signed.Keys) == 0:
		return a, nil
	case signed.Audience == "":
		return nil, errors.New("signed tokens need an audience")
	case signed.MaxLife <= 0:
		return nil, errors.New("signed tokens need a longest life")
	}
	a.jwt = &verifier{signed}
	return a, nil
}

func checkShared(token string) error {
	switch {
	case len(token) < minShared:
		return fmt.Errorf(
			"it has fewer than %d characters and can be guessed; `mindflow token shared` makes one", minShared)
	case len(token) > maxToken:
		return fmt.Errorf("it has more than %d characters", maxToken)
	case !isToken68(token):
		return errors.New("it holds characters that no bearer token has; use letters, digits and -._~+/")
	}
	return nil
}

// IsOpen reports whether it admits everybody.
func (a *Authenticator) IsOpen() bool { return a.reload == nil && len(a.shared) == 0 && a.jwt == nil }

// Check authenticates the sender of the Authorization headers. The error is a *DeniedError.
func (a *Authenticator) Check(authorization []string, now time.Time) (Grant, error) {
	if a.reload != nil {
		a = a.reload.at(now)
	}
	if a.IsOpen() {
		return Grant{}, nil
	}
	token, err := bearer(authorization)
	if err != nil {
		return Grant{}, err
	}
	sum := sha256.Sum256([]byte(token))
	match := 0
	for _, s := range a.shared { // all of them, by hashes of one length: the time taken reveals nothing
		match |= subtle.ConstantTimeCompare(sum[:], s[:])
	}
	switch {
	case match == 1:
		return Grant{Subject: "shared " + short(sum)}, nil
	case a.jwt == nil:
		return Grant{}, &DeniedError{Unusable, "this server does not know this token; ask its host for the one in use"}
	}
	return a.jwt.check(token, short(sum), now)
}

// short identifies a token without revealing it.
func short(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:16]) }

// bearer returns the token of the Authorization headers (RFC 6750, section 2.1).
func bearer(authorization []string) (string, error) {
	switch len(authorization) {
	case 0:
		return "", &DeniedError{Missing,
			"this server requires a token: send it as Authorization: Bearer"}
	case 1:
	default:
		return "", &DeniedError{Unusable, "send one Authorization header"}
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if token = strings.TrimLeft(token, " "); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", &DeniedError{Unusable, "send the token as Authorization: Bearer TOKEN"}
	}
	if len(token) > maxToken || !isToken68(token) {
		return "", &DeniedError{Unusable, "what the Authorization header holds is no bearer token"}
	}
	return token, nil
}

// isToken68 reports whether text has the syntax of a bearer token (RFC 9110, section 11.2).
func isToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && !strings.ContainsFunc(body, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && !(r >= '0' && r <= '9') && !strings.ContainsRune("-._~+/", r)
	})
}
