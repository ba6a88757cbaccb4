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
	leeway     = 10 * time.Second // between the clocks of host and server
	maxSubject = 256              // bytes
	maxOrigins = 64
)

// Claims are the claims of a signed token.
type Claims struct {
	Subject     string        // sessions belong to their subject
	Audience    string        // the server
	Expires     time.Time     // from when the token is invalid
	Origins     []string      // of the pages that may use it; empty means any that the server allows
	MaxSessions int           // at a time, of the subject; zero means the server's limit
	SessionTime time.Duration // of a session; zero means the server's limit
}

// payload is the JSON of Claims: RFC 7519, section 4.1, and three claims of our own.
type payload struct {
	jwt.RegisteredClaims
	Origins        []string `json:"origins,omitempty"`
	MaxSessions    *int     `json:"max_sessions,omitempty"`
	SessionSeconds *float64 `json:"session_seconds,omitempty"`
}

// Validate is called after the signature was verified: its errors are mistakes of the host.
func (p *payload) Validate() error {
	const maxSeconds = 365 * 24 * 3600
	switch {
	case len(p.Subject) > maxSubject:
		return claimError("sub: it has more than 256 bytes")
	case len(p.Origins) > maxOrigins:
		return claimError("origins: there are more than 64")
	case p.Origins != nil && len(p.Origins) == 0:
		return claimError("origins: the list is empty; leave it out to allow all")
	case p.MaxSessions != nil && *p.MaxSessions < 1:
		return claimError("max_sessions: it is less than 1")
	case p.SessionSeconds != nil && !(*p.SessionSeconds >= 1 && *p.SessionSeconds <= maxSeconds):
		return claimError("session_seconds: it is not between 1 and 31536000")
	}
	for _, origin := range p.Origins {
		if !IsOrigin(origin) {
			return claimError("origins: one is not written as browsers do, such as https://example.org")
		}
	}
	return nil
}

// IsOrigin reports whether text can be a browser's Origin (RFC 6454, section 6.2: no path, no trailing slash).
func IsOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != "" && text == u.Scheme+"://"+u.Host
}

// claimError is an invalid claim. It shows no part of the token.
type claimError string

func (e claimError) Error() string { return string(e) }

// UnmarshalJSON decodes the claims. Its errors name the claim of a wrong type: the library takes a number in quotes for
// a number, and names the fields of its own type.
func (p *payload) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	const list = "text or a list of texts"
	want := map[string]string{"sub": "text", "iss": "text", "aud": list, "exp": "a number of seconds",
		"nbf": "a number of seconds", "iat": "a number of seconds"}
	for name, value := range fields {
		quoted, listed := value[0] == '"', value[0] == '['
		number := value[0] == '-' || value[0] >= '0' && value[0] <= '9'
		switch kind := want[name]; {
		case kind == "text" && !quoted, kind == list && !quoted && !listed,
			kind == "a number of seconds" && !number:
			return claimError(name + ": it is not " + kind)
		}
	}
	type plain payload // without this method
	return json.Unmarshal(text, (*plain)(p))
}

// verifier checks signed tokens.
type verifier struct{ Signed }

// check verifies token; id stands for the subject of tokens without one.
func (v *verifier) check(token, id string, now time.Time) (Grant, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{HS256, EdDSA}), // neither "none" nor any other that the token names
		jwt.WithStrictDecoding(),
		jwt.WithAudience(v.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	var claims payload
	if _, err := parser.ParseWithClaims(token, &claims, v.find); err != nil {
		return Grant{}, denied(err, claims)
	}
	if life := claims.ExpiresAt.Sub(now); life > v.MaxLife {
		detail := fmt.Sprintf("exp: it is over %s ahead, the most that this server takes; it counts seconds since 1970",
			v.MaxLife)
		return Grant{}, denied(claimError(detail), claims)
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

// find returns the keys that may have signed token. A key verifies by its own algorithm alone, whatever the token
// names: otherwise a public key, which is no secret, could serve as the secret of an HMAC.
func (v *verifier) find(token *jwt.Token) (any, error) {
	if _, ok := token.Header["crit"]; ok { // RFC 7515, section 4.1.11
		return nil, errors.New("it demands extensions")
	}
	header, named := token.Header["kid"]
	kid, text := header.(string)
	if named && !text {
		return nil, errors.New("kid is no text")
	}
	var set jwt.VerificationKeySet
	for _, k := range v.Keys {
		if k.Algorithm == token.Method.Alg() && (!named || k.ID == kid) {
			set.Keys = append(set.Keys, k.verifying())
		}
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no key fits")
	}
	return set, nil
}

// denied describes what is wrong with a token of these claims, as far as they were read. The library's errors may show
// parts of the token.
func denied(err error, claims payload) *DeniedError {
	var claim claimError
	var number *json.UnmarshalTypeError
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		return &DeniedError{Unusable, "no key of this server's has signed this token"}
	case errors.As(err, &claim):
		return &DeniedError{Unusable, "the token's claim " + claim.Error()}
	case errors.As(err, &number):
		return &DeniedError{Unusable, fmt.Sprintf("the token's claim %.40s: it is of the wrong type", number.Field)}
	case errors.Is(err, jwt.ErrTokenMalformed):
		return &DeniedError{Unusable, "this is no token of this server's"}
	case claims.ExpiresAt == nil:
		return &DeniedError{Unusable, "the token never expires: it has no claim exp; set it"}
	case len(claims.Audience) == 0:
		return &DeniedError{Unusable, "the token has no claim aud; set it to this server's name"}
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return &DeniedError{Unusable, "the token is for another server: its claim aud does not name this one"}
	case errors.Is(err, jwt.ErrTokenExpired):
		return &DeniedError{Expired, "the token has expired; get a new one"}
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return &DeniedError{Unusable, "the token is not valid yet; do the clocks agree?"}
	}
	return &DeniedError{Unusable, "the token cannot be used"}
}

// Mint makes a token with claims, signed by key, which must have its private part. now is its time of issue.
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
