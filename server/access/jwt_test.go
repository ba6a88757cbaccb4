package access

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const year = 365 * 24 * time.Hour

func TestSignedToken(t *testing.T) {
	secret, old := newKey(t, HS256, "2026"), newKey(t, HS256, "2025")
	pair, stranger := newKey(t, EdDSA, "ed"), newKey(t, EdDSA, "ed")
	public, err := pair.Public()
	if err != nil {
		t.Fatal(err)
	}
	g := newAuthenticator(t, nil, secret, old, public)
	good := fmt.Sprintf(`{"sub":"ada","aud":%q,"exp":%d}`, audience, noon.Add(time.Minute).Unix())
	claims := func(format string, args ...any) string {
		return raw(`{"alg":"HS256","kid":"2026"}`, fmt.Sprintf(format, args...), hs256(secret.secret))
	}
	extra := func(field string) string { return claims("%s,%s}", strings.TrimSuffix(good, "}"), field) }
	tamper := func(part int, change func(string) string) string {
		parts := strings.Split(mint(t, secret, nil), ".")
		parts[part] = change(parts[part])
		return strings.Join(parts, ".")
	}
	flip := func(s string) string { // a bit of the middle
		b := []byte(s)
		b[len(b)/2] ^= 1
		return string(b)
	}
	for _, row := range []struct {
		name, token string
		reason      Reason // "" is let in
	}{
		{"HS256", mint(t, secret, nil), ""},
		{"the key before it", mint(t, old, nil), ""},
		{"EdDSA", mint(t, pair, nil), ""},
		{"without kid", raw(`{"alg":"HS256"}`, good, hs256(old.secret)), ""},
		{"several audiences", claims(`{"aud":["x",%q],"exp":%d}`, audience, noon.Add(time.Minute).Unix()), ""},
		{"of another key with this kid", mint(t, stranger, nil), Unusable},
		{"kid of no key", raw(`{"alg":"HS256","kid":"2024"}`, good, hs256(secret.secret)), Unusable},
		{"kid of another key", raw(`{"alg":"HS256","kid":"2025"}`, good, hs256(secret.secret)), Unusable},
		{"alg none", raw(`{"alg":"none"}`, good, nothing), Unusable},
		{"alg None with kid", raw(`{"alg":"None","kid":"2026"}`, good, nothing), Unusable},
		{"alg none with a signature", raw(`{"alg":"none","kid":"2026"}`, good, hs256(secret.secret)), Unusable},
		{"no alg", raw(`{"kid":"2026"}`, good, hs256(secret.secret)), Unusable},
		{"alg of another length", raw(`{"alg":"HS512","kid":"2026"}`, good, hs256(secret.secret)), Unusable},
		{"the public key as a secret", raw(`{"alg":"HS256","kid":"ed"}`, good, hs256(public.public)), Unusable},
		{"the public key as a secret, without kid", raw(`{"alg":"HS256"}`, good, hs256(public.public)), Unusable},
		{"an HMAC called EdDSA", raw(`{"alg":"EdDSA","kid":"2026"}`, good, hs256(secret.secret)), Unusable},
		{"an empty secret", raw(`{"alg":"HS256"}`, good, hs256(nil)), Unusable},
		{"extensions demanded", raw(`{"alg":"HS256","crit":["x"]}`, good, hs256(secret.secret)), Unusable},
		{"a key of its own",
			raw(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, good, hs256([]byte{0, 0, 0})), Unusable},
		{"header tampered with", tamper(0, flip), Unusable},
		{"claims tampered with", tamper(1, flip), Unusable},
		{"signature tampered with", tamper(2, flip), Unusable},
		{"signature cut", tamper(2, func(s string) string { return s[:8] }), Unusable},
		{"signature gone", tamper(2, func(string) string { return "" }), Unusable},
		{"padding", mint(t, secret, nil) + "==", Unusable},
		{"a part more", mint(t, secret, nil) + ".x", Unusable},
		{"many parts", strings.Repeat(".", maxToken-1) + "x", Unusable},
		{"expired", mint(t, secret, func(c *Claims) { c.Expires = noon.Add(-leeway - time.Second) }), Expired},
		{"expired within the leeway", mint(t, secret, func(c *Claims) { c.Expires = noon.Add(-leeway / 2) }), ""},
		{"never expiring", claims(`{"aud":%q}`, audience), Unusable},
		{"not yet valid", extra(fmt.Sprintf(`"nbf":%d`, noon.Add(time.Minute).Unix())), Unusable},
		{"for another audience", mint(t, secret, func(c *Claims) { c.Audience = "https://other.example" }), Unusable},
		{"for a part of the audience", mint(t, secret, func(c *Claims) { c.Audience = audience + "/" }), Unusable},
		{"for nobody", claims(`{"exp":%d}`, noon.Add(time.Minute).Unix()), Unusable},
		{"exp a text", claims(`{"aud":%q,"exp":"tomorrow"}`, audience), Unusable},
		{"exp a number in quotes", claims(`{"aud":%q,"exp":"%d"}`, audience, noon.Add(time.Minute).Unix()), Unusable},
		{"exp in milliseconds", claims(`{"aud":%q,"exp":%d}`, audience, noon.Add(time.Minute).UnixMilli()), Unusable},
		{"exp a year ahead", claims(`{"aud":%q,"exp":%d}`, audience, noon.Add(year).Unix()), ""},
		{"exp over a year ahead", claims(`{"aud":%q,"exp":%d}`, audience, noon.Add(year+time.Second).Unix()), Unusable},
		{"kid a number", raw(`{"alg":"HS256","kid":2026}`, good, hs256(secret.secret)), Unusable},
		{"max_sessions a text", extra(`"max_sessions":"2"`), Unusable},
		{"max_sessions none", extra(`"max_sessions":0`), Unusable},
		{"max_sessions a part", extra(`"max_sessions":1.5`), Unusable},
		{"session_seconds negative", extra(`"session_seconds":-1`), Unusable},
		{"session_seconds endless", extra(`"session_seconds":1e300`), Unusable},
		{"origins a text", extra(`"origins":"https://a.example"`), Unusable},
		{"origins empty", extra(`"origins":[]`), Unusable},
		{"origins with a path", extra(`"origins":["https://a.example/"]`), Unusable},
		{"origins any", extra(`"origins":["*"]`), Unusable},
		{"sub endless", claims(`{"aud":%q,"exp":%d,"sub":%q}`,
			audience, noon.Add(time.Minute).Unix(), strings.Repeat("a", 257)), Unusable},
		{"claims null", claims(`null`), Unusable},
		{"claims a list", claims(`[]`), Unusable},
		{"no token", "abc", Unusable},
	} {
		grant, err := g.Check([]string{"Bearer " + row.token}, noon)
		var d *DeniedError
		if row.reason == "" && err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if row.reason != "" && (!errors.As(err, &d) || d.Reason != row.reason || grant.Subject != "") {
			t.Errorf("%s: %+v, %v, want it refused as %s", row.name, grant, err, row.reason)
		}
		for part := range strings.SplitSeq(row.token, ".") {
			if d != nil && len(part) > 4 && strings.Contains(d.Detail, part) {
				t.Errorf("%s: %q shows the token", row.name, d.Detail)
			}
		}
	}
}

// TestDetailOfDenial wants the sentence that a host can act upon.
func TestDetailOfDenial(t *testing.T) {
	key := newKey(t, HS256, "")
	g := newAuthenticator(t, nil, key)
	soon := noon.Add(time.Minute)
	const number = "it is not a number of seconds"
	for claims, want := range map[string]string{
		`{"sub":42,"aud":AUD,"exp":EXP}`:                  "claim sub: it is not text",
		`{"iss":{},"aud":AUD,"exp":EXP}`:                  "claim iss: it is not text",
		`{"aud":7,"exp":EXP}`:                             "claim aud: it is not text or a list",
		`{"aud":AUD}`:                                     "no claim exp",
		`{"exp":EXP}`:                                     "no claim aud",
		`{"aud":"x","exp":EXP}`:                           "for another server",
		`{"aud":AUD,"exp":"EXP"}`:                         "claim exp: " + number,
		`{"aud":AUD,"exp":null}`:                          "claim exp: " + number,
		`{"aud":AUD,"exp":EXP000}`:                        "claim exp: it is over 8760h0m0s ahead",
		`{"aud":AUD,"exp":EXP,"nbf":true}`:                "claim nbf: " + number,
		`{"aud":AUD,"exp":EXP,"origins":"x"}`:             "claim origins: it is of the wrong type",
		`{"aud":AUD,"exp":EXP,"max_sessions":0}`:          "claim max_sessions: it is less than 1",
		`{"aud":AUD,"exp":EXP,"session_seconds":"3600s"}`: "claim session_seconds: it is of the wrong type",
	} {
		fill := strings.NewReplacer("AUD", strconv.Quote(audience), "EXP", strconv.FormatInt(soon.Unix(), 10))
		token := raw(`{"alg":"HS256"}`, fill.Replace(claims), hs256(key.secret))
		_, err := g.Check([]string{"Bearer " + token}, noon)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", claims, err, want)
		}
	}
}

func TestGrant(t *testing.T) {
	k := newKey(t, EdDSA, "")
	g := newAuthenticator(t, nil, k)
	check := func(change func(*Claims)) Grant {
		t.Helper()
		grant, err := g.Check([]string{"Bearer " + mint(t, k, change)}, noon)
		if err != nil {
			t.Fatal(err)
		}
		return grant
	}
	plain := check(nil)
	if plain.MaxSessions != 0 || plain.SessionTime != 0 ||
		!plain.AllowsOrigin("") || !plain.AllowsOrigin("https://any.example") {
		t.Errorf("a token that says nothing grants %+v", plain)
	}
	full := check(func(c *Claims) {
		c.MaxSessions, c.SessionTime, c.Origins = 2, 90*time.Second, []string{"https://a.example"}
	})
	if full.MaxSessions != 2 || full.SessionTime != 90*time.Second || full.Subject != plain.Subject ||
		!full.AllowsOrigin("https://a.example") || full.AllowsOrigin("https://b.example") || full.AllowsOrigin("") {
		t.Errorf("granted %+v", full)
	}
	later := check(func(c *Claims) { c.Expires = noon.Add(time.Hour) })
	other := check(func(c *Claims) { c.Subject = "bob" })
	unnamed := check(func(c *Claims) { c.Subject = "" })
	another := check(func(c *Claims) { c.Subject, c.MaxSessions = "", 1 })
	if later.Subject != plain.Subject || other.Subject == plain.Subject {
		t.Error("a subject is the same with a new token, and no other's")
	}
	if unnamed.Subject == another.Subject || unnamed.Subject == "" {
		t.Error("a token without a subject stands for itself")
	}
}

func TestMintFaults(t *testing.T) {
	k := newKey(t, EdDSA, "")
	for _, row := range []struct {
		change func(*Claims)
		want   string
	}{
		{func(c *Claims) { c.Audience = "" }, "aud"},
		{func(c *Claims) { c.Expires = noon.Add(-time.Hour) }, "expired already"},
		{func(c *Claims) { c.MaxSessions = -1 }, "max_sessions"},
		{func(c *Claims) { c.SessionTime = time.Millisecond }, "session_seconds"},
		{func(c *Claims) { c.Origins = []string{"a.example"} }, "origins"},
		{func(c *Claims) { c.Subject = strings.Repeat("a", 300) }, "sub"},
	} {
		c := Claims{Subject: "ada", Audience: audience, Expires: noon.Add(time.Minute)}
		row.change(&c)
		if _, err := Mint(k, c, noon); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v, want %q", err, row.want)
		}
	}
}
