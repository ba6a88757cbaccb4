package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	leeway      = 10 * time.Second // by which the clocks of host and server may differ
	mostSubject = 256              // bytes
	mostOrigins = 64
)

// Claims are what a signed token says, besides whom it is for.
type Claims struct {
	Subject     string        // who shows it: sessions belong to their subject
	Audience    string        // the server that it is for
	Expires     time.Time     // it is worth nothing from then on
	Origins     []string      // of the pages that may use it; none: any that the server allows
	MaxSessions int           // at a time, of the subject; 0 leaves it to the server
	SessionTime time.Duration // of the longest session; 0 leaves it to the server
}

// payload is how Claims are written: RFC 7519, section 4.1, and three of our own.
type payload struct {
	jwt.RegisteredClaims
	Origins        []string `json:"origins,omitempty"`
	MaxSessions    *int     `json:"max_sessions,omitempty"`
	SessionSeconds *float64 `json:"session_seconds,omitempty"`
}

// Validate is called for what was signed: a host's mistake.
func (p *payload) Validate() error {
	const mostSeconds = 365 * 24 * 3600
	switch {
	case len(p.Subject) > mostSubject:
		return claimError("sub: it has more than 256 bytes")
	case len(p.Origins) > mostOrigins:
		return claimError("origins: there are more than 64")
	case p.Origins != nil && len(p.Origins) == 0:
		return claimError("origins: the list is empty; leave it out to allow all")
	case p.MaxSessions != nil && *p.MaxSessions < 1:
		return claimError("max_sessions: it is less than 1")
	case p.SessionSeconds != nil && !(*p.SessionSeconds >= 1 && *p.SessionSeconds <= mostSeconds):
		return claimError("session_seconds: it is not between 1 and 31536000")
	}
	for _, origin := range p.Origins {
		if !IsOrigin(origin) {
			return claimError("origins: one is not written as browsers do, such as https://example.org")
		}
	}
	return nil
}

// IsOrigin says whether a browser's Origin can be text (RFC 6454, section 6.2: no path, no slash at the end).
func IsOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != "" && text == u.Scheme+"://"+u.Host
}

// claimError is a claim that does not hold. It shows nothing of the token's.
type claimError string

func (e claimError) Error() string { return string(e) }

// verifier checks signed tokens.
type verifier struct {
	keys     []Key
	audience string
}

func newVerifier(keys []Key, audience string) *verifier { return &verifier{keys, audience} }

// check verifies token; id is its own name, for tokens without a subject.
func (v *verifier) check(token, id string, now time.Time) (Grant, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{HS256, EdDSA}), // neither "none" nor whatever else the token would like
		jwt.WithStrictDecoding(),
		jwt.WithAudience(v.audience),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	var claims payload
	if _, err := parser.ParseWithClaims(token, &claims, v.find); err != nil {
		return Grant{}, denied(err)
	}
	g := Grant{Subject: "signed " + claims.Subject, Origins: claims.Origins}
	if claims.Subject == "" {
		g.Subject = "unnamed " + id
	}
	if claims.MaxSessions != nil {
		g.MaxSessions = *claims.MaxSessions
	}
	if claims.SessionSeconds != nil {
		g.SessionTime = time.Duration(math.Round(*claims.SessionSeconds * float64(time.Second)))
	}
	return g, nil
}

// find gives the keys that may have signed token. A key verifies by its own algorithm alone, whatever the token names:
// else a public key, which is no secret, could be taken for the secret of an HMAC.
func (v *verifier) find(token *jwt.Token) (any, error) {
	if _, ok := token.Header["crit"]; ok { // RFC 7515, section 4.1.11
		return nil, errors.New("it demands extensions")
	}
	kid, named := token.Header["kid"].(string)
	var set jwt.VerificationKeySet
	for _, k := range v.keys {
		if k.Algorithm == token.Method.Alg() && (!named || k.ID == kid) {
			set.Keys = append(set.Keys, k.verifying())
		}
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no key fits")
	}
	return set, nil
}

// denied says what is wrong with a token, in words of our own: those of the library may show parts of it.
func denied(err error) *DeniedError {
	var claim claimError
	var number *json.UnmarshalTypeError
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		return &DeniedError{Unusable, "no key of this server's has signed this token"}
	case errors.As(err, &number):
		return &DeniedError{Unusable, fmt.Sprintf("the token's claim %.40q is of the wrong type", number.Field)}
	case errors.Is(err, jwt.ErrTokenMalformed):
		return &DeniedError{Unusable, "this is no token of this server's"}
	case errors.Is(err, jwt.ErrTokenInvalidAudience), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return &DeniedError{Unusable, "the token is for another server, or says neither aud nor exp"}
	case errors.Is(err, jwt.ErrTokenExpired):
		return &DeniedError{Expired, "the token has expired; get a new one"}
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return &DeniedError{Unusable, "the token is not valid yet; do the clocks agree?"}
	case errors.As(err, &claim):
		return &DeniedError{Unusable, "the token's claim " + claim.Error()}
	}
	return &DeniedError{Unusable, "the token cannot be used"}
}

// Mint makes a token that says claims, signed by key, which must hold its private part. now is when it is made.
func Mint(key Key, claims Claims, now time.Time) (string, error) {
	p := payload{RegisteredClaims: jwt.RegisteredClaims{
		Subject: claims.Subject, Audience: jwt.ClaimStrings{claims.Audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(claims.Expires),
	}, Origins: claims.Origins}
	if claims.MaxSessions != 0 {
		p.MaxSessions = &claims.MaxSessions
	}
	if claims.SessionTime != 0 {
		seconds := claims.SessionTime.Seconds()
		p.SessionSeconds = &seconds
	}
	switch err := p.Validate(); {
	case err != nil:
		return "", err
	case claims.Audience == "":
		return "", errors.New("aud: name the server that the token is for")
	case !claims.Expires.After(now):
		return "", errors.New("exp: the token would have expired already")
	}
	signing, method, err := key.signing()
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(method, &p)
	if key.ID != "" {
		token.Header["kid"] = key.ID
	}
	text, err := token.SignedString(signing)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return text, nil
}
