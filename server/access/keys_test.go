package access

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestKeySet(t *testing.T) {
	secret, pair := newKey(t, HS256, "a"), newKey(t, EdDSA, "b")
	public, err := pair.Public()
	if err != nil {
		t.Fatal(err)
	}
	text, err := FormatKeys(secret, public)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys(text)
	if err != nil || len(keys) != 2 || keys[0].ID != "a" || keys[1].Algorithm != EdDSA {
		t.Fatalf("%v, %v", keys, err)
	}
	if strings.Contains(string(text), `"d"`) {
		t.Error("the public part holds the private one")
	}
	_, err = Mint(keys[1], Claims{Audience: audience, Expires: noon}, noon.Add(-time.Hour))
	if err == nil || !strings.Contains(err.Error(), "public part only") {
		t.Errorf("a public key signs: %v", err)
	}
	if _, err := secret.Public(); err == nil {
		t.Error("a secret has no public part")
	}
	for _, k := range []Key{secret, pair} {
		said := fmt.Sprintf("%v %+v %#v %s", k, k, k, []Key{k})
		for _, part := range []string{"secret", "private", "[1"} {
			if strings.Contains(said, part) {
				t.Errorf("a key shows itself: %s", said)
			}
		}
	}
}

// TestForeignKey reads the key of RFC 8037, appendix A.
func TestForeignKey(t *testing.T) {
	const set = `{"keys":[{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",` +
		`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig"}]}`
	keys, err := ParseKeys([]byte(set))
	if err != nil || keys[0].private == nil {
		t.Fatal(err)
	}
}

func TestKeySetFaults(t *testing.T) {
	short := base64.RawURLEncoding.EncodeToString(make([]byte, 31))
	long := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	oct := fmt.Sprintf(`{"kty":"oct","kid":"a","k":%q}`, long)
	for _, row := range []struct{ text, want string }{
		{``, "not a JSON Web Key Set"},
		{`secret text`, "not a JSON Web Key Set"},
		{`{}`, "0 keys"},
		{`{"keys":[` + strings.Repeat(oct+",", maxKeys) + oct + `]}`, "17 keys"},
		{`{"keys":[{"kty":"RSA"}]}`, "key 1: use kty oct"},
		{`{"keys":[{"kty":"oct","alg":"HS512","k":"` + long + `"}]}`, "use kty oct"},
		{`{"keys":[{"kty":"oct","k":"` + short + `"}]}`, "31 bytes"},
		{`{"keys":[{"kty":"oct","k":"a secret!"}]}`, "base64url"},
		{`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + short + `"}]}`, "x is not 32 bytes"},
		{`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + long + `","d":"` + short + `"}]}`, "d is not 32 bytes"},
		{`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + long + `","d":"` + long + `"}]}`, "not the public part"},
		{`{"keys":[{"kty":"OKP","crv":"X25519","x":"` + long + `"}]}`, "use kty"},
		{`{"keys":[` + oct + `,` + oct + `]}`, "key 2: its kid is another's"},
		{`{"keys":[{"kty":"oct","k":7}]}`, "not a JSON Web Key Set"},
		{strings.Repeat(" ", maxSetSize+1), "more than 65536"},
	} {
		_, err := ParseKeys([]byte(row.text))
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.60s: %v, want %q", row.text, err, row.want)
		}
	}
}

// FuzzKeys reads key sets: a set that was read can be written and read again.
func FuzzKeys(f *testing.F) {
	text, err := FormatKeys(newKey(f, HS256, "h"), newKey(f, EdDSA, "e"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), `{"keys":[{}]}`, `{"keys":null}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ParseKeys(data)
		if err != nil {
			return
		}
		text, err := FormatKeys(keys...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKeys(text)
		if err != nil || len(again) != len(keys) {
			t.Errorf("%s came back as %v, %v", data, again, err)
		}
		if !json.Valid(text) {
			t.Errorf("no JSON: %s", text)
		}
	})
}
