package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// The algorithms that sign tokens: RFC 7518, section 3.2, and RFC 8037, section 3.1.
const (
	HS256 = "HS256" // one secret signs and verifies: a server that checks tokens can also make them
	EdDSA = "EdDSA" // the server needs only the public key
)

const (
	minSecret  = 32 // bytes: RFC 7518, section 3.2
	maxKeys    = 16
	maxSetSize = 64 << 10 // bytes of a key set
)

// Key signs or verifies tokens.
type Key struct {
	ID        string // optional
	Algorithm string // HS256 or EdDSA

	secret  []byte             // of HS256
	public  ed25519.PublicKey  // of EdDSA
	private ed25519.PrivateKey // of EdDSA; nil for a public key
}

// NewKey generates a key.
func NewKey(algorithm, id string) (Key, error) {
	k := Key{ID: id, Algorithm: algorithm}
	switch algorithm {
	case HS256:
		k.secret = make([]byte, minSecret)
		_, _ = rand.Read(k.secret) // never fails: crypto/rand ends the program instead
	case EdDSA:
		var err error
		if k.public, k.private, err = ed25519.GenerateKey(nil); err != nil {
			return Key{}, fmt.Errorf("make a key: %w", err)
		}
	default:
		return Key{}, fmt.Errorf("algorithm %q: use %s or %s", algorithm, EdDSA, HS256)
	}
	return k, nil
}

// Public returns the public key of an EdDSA key. An HS256 key has none.
func (k Key) Public() (Key, error) {
	if k.Algorithm != EdDSA {
		return Key{}, errors.New(
			"a key of HS256 is one secret, which the server needs as it is; EdDSA has a public part")
	}
	k.private = nil
	return k, nil
}

func (k Key) verifying() jwt.VerificationKey {
	if k.Algorithm == HS256 {
		return k.secret
	}
	return k.public
}

func (k Key) signing() (any, jwt.SigningMethod, error) {
	switch {
	case k.Algorithm == HS256:
		return k.secret, jwt.SigningMethodHS256, nil
	case k.private != nil:
		return k.private, jwt.SigningMethodEdDSA, nil
	}
	return nil, nil, errors.New("this key has its public part only: sign with the file that `mindflow token key` wrote")
}

// String describes the key without its secret, for logs.
func (k Key) String() string { return fmt.Sprintf("key %q (%s)", k.ID, k.Algorithm) }

// GoString is String.
func (k Key) GoString() string { return k.String() }

// jwk is a JSON Web Key: RFC 7517, RFC 7518 section 6.4, RFC 8037 section 2.
type jwk struct {
	Type      string `json:"kty"`
	Algorithm string `json:"alg,omitempty"`
	ID        string `json:"kid,omitempty"`
	Curve     string `json:"crv,omitempty"`
	Secret    string `json:"k,omitempty"`
	Public    string `json:"x,omitempty"`
	Private   string `json:"d,omitempty"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// FormatKeys encodes keys as a JSON Web Key Set, secrets included.
func FormatKeys(keys ...Key) ([]byte, error) {
	set := jwkSet{Keys: []jwk{}}
	text := base64.RawURLEncoding.EncodeToString
	for _, k := range keys {
		if k.Algorithm == HS256 {
			set.Keys = append(set.Keys, jwk{Type: "oct", Algorithm: HS256, ID: k.ID, Secret: text(k.secret)})
			continue
		}
		j := jwk{Type: "OKP", Algorithm: EdDSA, ID: k.ID, Curve: "Ed25519", Public: text(k.public)}
		if k.private != nil {
			j.Private = text(k.private.Seed())
		}
		set.Keys = append(set.Keys, j)
	}
	out, err := json.MarshalIndent(set, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write keys: %w", err)
	}
	return append(out, '\n'), nil
}

// ParseKeys reads a JSON Web Key Set of at most 16 keys. An error names the key at fault by its position, from 1, and
// shows no part of it.
func ParseKeys(text []byte) ([]Key, error) {
	if len(text) > maxSetSize {
		return nil, fmt.Errorf("more than %d bytes", maxSetSize)
	}
	var set jwkSet
	if err := json.Unmarshal(text, &set); err != nil { // its error may show what it read
		return nil, errors.New(`not a JSON Web Key Set, such as {"keys":[{"kty":"OKP","crv":"Ed25519","x":"…"}]}; ` +
			"mindflow token key writes one")
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys: use 1 to %d", len(set.Keys), maxKeys)
	}
	var keys []Key
	ids := map[string]bool{}
	for i, j := range set.Keys {
		k, err := j.key()
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if k.ID != "" && ids[k.ID] {
			return nil, fmt.Errorf("key %d: its kid is another's already", i+1)
		}
		ids[k.ID] = true
		keys = append(keys, k)
	}
	return keys, nil
}

func (j jwk) key() (Key, error) {
	k := Key{ID: j.ID}
	switch {
	case j.Type == "oct" && (j.Algorithm == HS256 || j.Algorithm == ""):
		k.Algorithm = HS256
		var err error
		if k.secret, err = base64.RawURLEncoding.DecodeString(j.Secret); err != nil {
			return Key{}, errors.New("k is not base64url without padding")
		}
		if len(k.secret) < minSecret {
			return Key{}, fmt.Errorf(
				"k has %d bytes: HS256 needs %d or more (RFC 7518, section 3.2)", len(k.secret), minSecret)
		}
		return k, nil
	case j.Type == "OKP" && j.Curve == "Ed25519" && (j.Algorithm == EdDSA || j.Algorithm == ""):
		k.Algorithm = EdDSA
		return j.edwards(k)
	}
	return Key{}, errors.New("use kty oct with alg HS256, or kty OKP with crv Ed25519 and alg EdDSA")
}

func (j jwk) edwards(k Key) (Key, error) {
	public, err := base64.RawURLEncoding.DecodeString(j.Public)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return Key{}, errors.New("x is not 32 bytes in base64url without padding")
	}
	k.public = public
	if j.Private == "" {
		return k, nil
	}
	seed, err := base64.RawURLEncoding.DecodeString(j.Private)
	if err != nil || len(seed) != ed25519.SeedSize {
		return Key{}, errors.New("d is not 32 bytes in base64url without padding")
	}
	k.private = ed25519.NewKeyFromSeed(seed)
	if !k.public.Equal(k.private.Public()) {
		return Key{}, errors.New("x is not the public part of d")
	}
	return k, nil
}
