package turn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"strconv"
	"strings"
	"time"

	pion "github.com/pion/turn/v4"
)

// CredentialLifetime is how long credentials can allocate. An allocation can outlive its credentials.
const CredentialLifetime = 5 * time.Minute

// Credentials let a user allocate. The username is the time of expiry, in Unix seconds, and the user; the password is
// its MAC with the server's secret, so the server stores none.
type Credentials struct{ Username, Password string }

// Credentials returns new credentials of a user, whose name must be printable and without spaces.
func (s *Server) Credentials(user string) Credentials {
	username := strconv.FormatInt(s.cfg.Now().Add(CredentialLifetime).Unix(), 10) + ":" + user
	return Credentials{username, s.password(username)}
}

func (s *Server) password(username string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(username))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// parse reads the username of Credentials.
func parse(username string) (user string, expires time.Time, ok bool) {
	text, user, ok := strings.Cut(username, ":")
	seconds, err := strconv.ParseInt(text, 10, 64)
	return user, time.Unix(seconds, 0), ok && err == nil
}

// key returns the key of a user's requests, with which Pion checks their integrity. Expired credentials still serve a
// client that has an allocation, to keep it.
func (s *Server) key(username, ofRealm string, from net.Addr) ([]byte, bool) {
	user, expires, ok := parse(username)
	switch {
	case !ok || ofRealm != realm:
		s.drops[badCredentials].Add(1)
		return nil, false
	case s.cfg.UserActive != nil && !s.cfg.UserActive(user), s.cfg.Now().After(expires) && !s.holds(user, from):
		s.drops[expired].Add(1)
		return nil, false
	}
	return pion.GenerateAuthKey(username, realm, s.password(username)), true
}

// holds reports whether a user has an allocation from an address.
func (s *Server) holds(user string, from net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, r := range s.allocations {
		if r.user == user && c.network == from.Network() && c.from == from.String() {
			return true
		}
	}
	return false
}
