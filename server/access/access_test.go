package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const audience = "https://faces.example"

func newKey(t testing.TB, algorithm, id string) Key {
	t.Helper()
	k, err := NewKey(algorithm, id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newAuthenticator(t testing.TB, shared []string, keys ...Key) *Authenticator {
	t.Helper()
	g, err := New(shared, Signed{keys, audience, 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mint(t testing.TB, k Key, change func(*Claims)) string {
	t.Helper()
	c := Claims{Subject: "ada", Audience: audience, Expires: noon.Add(time.Minute)}
	if change != nil {
		change(&c)
	}
	text, err := Mint(k, c, noon.Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// raw encodes a token with any header and claims, as an attacker can.
func raw(header, claims string, sign func(text string) []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(header)) + "." + b64([]byte(claims))
	return text + "." + b64(sign(text))
}

func hs256(secret []byte) func(string) []byte {
	return func(text string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
}

func nothing(string) []byte { return nil }

func TestSharedToken(t *testing.T) {
	const a, b = "first-token-of-the-two.0", "another_token~with+/===="
	g := newAuthenticator(t, []string{a, b})
	for _, row := range []struct {
		name   string
		header []string
		reason Reason // "" is let in
	}{
		{"first", []string{"Bearer " + a}, ""},
		{"second", []string{"Bearer " + b}, ""},
		{"scheme in lower case", []string{"bearer   " + b}, ""},
		{"none", nil, Missing},
		{"two headers", []string{"Bearer " + a, "Bearer " + a}, Unusable},
		{"empty", []string{""}, Unusable},
		{"scheme alone", []string{"Bearer"}, Unusable},
		{"scheme and space", []string{"Bearer "}, Unusable},
		{"Basic", []string{"Basic " + a}, Unusable},
		{"token alone", []string{a}, Unusable},
		{"a beginning", []string{"Bearer " + a[:len(a)-1]}, Unusable},
		{"more", []string{"Bearer " + a + "0"}, Unusable},
		{"another case", []string{"Bearer " + strings.ToUpper(a)}, Unusable},
		{"a list", []string{"Bearer " + a + ", Bearer " + a}, Unusable},
		{"space at the end", []string{"Bearer " + a + " "}, Unusable},
		{"long", []string{"Bearer " + strings.Repeat("a", maxToken+1)}, Unusable},
		{"a signed one", []string{"Bearer " + mint(t, newKey(t, HS256, ""), nil)}, Unusable},
	} {
		grant, err := g.Check(row.header, noon)
		var d *DeniedError
		if row.reason == "" && (err != nil || grant.Subject == "" || strings.Contains(grant.Subject, "token")) {
			t.Errorf("%s: %+v, %v", row.name, grant, err)
		}
		denied := errors.As(err, &d)
		if row.reason != "" && (!denied || d.Reason != row.reason || strings.Contains(d.Detail, "of-the-two")) {
			t.Errorf("%s: %v, want it refused as %s", row.name, err, row.reason)
		}
	}
	first, _ := g.Check([]string{"Bearer " + a}, noon)
	second, _ := g.Check([]string{"Bearer " + b}, noon)
	if first.Subject == second.Subject {
		t.Error("who has another token is somebody else")
	}
}

func TestOpen(t *testing.T) {
	for _, header := range [][]string{nil, {"Bearer x"}, {"Basic x", "y"}} {
		if grant, err := Open().Check(header, noon); err != nil || grant.Subject != "" {
			t.Errorf("%q: %+v, %v", header, grant, err)
		}
	}
	shared, keyed := newAuthenticator(t, []string{strings.Repeat("x", minShared)}), newAuthenticator(t, nil,
		newKey(t, EdDSA, ""))
	if !Open().IsOpen() || shared.IsOpen() || keyed.IsOpen() {
		t.Error("what is open and what is not is mixed up")
	}
}

// The subject of a signed token cannot be made to equal that of a shared token.
func TestSubjectsOfKinds(t *testing.T) {
	const shared = "0123456789abcdefghijklmn"
	k := newKey(t, EdDSA, "")
	g := newAuthenticator(t, []string{shared}, k)
	owner, err := g.Check([]string{"Bearer " + shared}, noon)
	if err != nil {
		t.Fatal(err)
	}
	forger, err := g.Check([]string{"Bearer " + mint(t, k, func(c *Claims) { c.Subject = owner.Subject })}, noon)
	if err != nil || forger.Subject == owner.Subject {
		t.Errorf("%q, %v", forger.Subject, err)
	}
}

func TestNewErrors(t *testing.T) {
	k := newKey(t, HS256, "")
	for _, row := range []struct {
		shared   []string
		keys     []Key
		audience string
		want     string
	}{
		{[]string{"short"}, nil, "", "fewer than 22"},
		{[]string{strings.Repeat("x", 30), strings.Repeat("é", 30)}, nil, "", "token 2: it holds characters"},
		{[]string{strings.Repeat("x", maxToken+1)}, nil, "", "more than 4096"},
		{nil, []Key{k}, "", "audience"},
	} {
		_, err := New(row.shared, Signed{row.keys, row.audience, time.Hour})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v, want %q", err, row.want)
		}
	}
}

// Shared tokens are compared in constant time, and not with == or bytes.Equal.
func TestConstantTime(t *testing.T) {
	source, err := os.ReadFile("access.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "access.go", source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, i := range file.Imports {
		imports = append(imports, i.Path.Value)
	}
	compared := strings.Count(string(source), "subtle.ConstantTimeCompare(sum[:], s[:])")
	if !slices.Contains(imports, `"crypto/subtle"`) || slices.Contains(imports, `"bytes"`) || compared != 1 {
		t.Errorf("shared tokens are compared otherwise; imports: %v", imports)
	}
}

// FuzzCheck checks headers without valid credentials: each is denied with a reason.
func FuzzCheck(f *testing.F) {
	secret, pair := newKey(f, HS256, "h"), newKey(f, EdDSA, "e")
	g := newAuthenticator(f, []string{"a-shared-token-of-this-server"}, secret, pair)
	late := noon.Add(1000 * time.Hour) // whatever is signed has expired
	for _, seed := range []string{
		"Bearer " + mint(f, secret, nil), "Bearer " + mint(f, pair, nil), "Bearer a-shared-token",
		"Basic YTpi", "", "Bearer  ",
		"Bearer " + raw(`{"alg":"none"}`, `{}`, nothing),
		"Bearer " + raw(`{"alg":"HS256","kid":1,"crit":null}`, `{"aud":{},"exp":1e999}`, nothing),
		"Bearer ..", "bearer eyJ.eyJ.",
		"Bearer " + raw(`{"alg":"EdDSA"}`, `{"exp":-1,"origins":[null],"max_sessions":null}`, nothing),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		grant, err := g.Check([]string{header}, late)
		var d *DeniedError
		if !errors.As(err, &d) || d.Detail == "" || d.Reason == "" || grant.Subject != "" {
			t.Errorf("%q: %+v, %v", header, grant, err)
		}
	})
}
