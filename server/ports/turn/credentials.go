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

// CredentialLife is how long credentials serve to allocate. What was allocated with them can be kept longer.
const CredentialLife = 5 * time.Minute

// Credentials let a user allocate. The username tells when they expire, in Unix seconds, and whose they are; the
// password is made of it with the server's secret, so nothing is kept of them.
type Credentials struct{ Username, Password string }

// Credentials are new ones for user, whose name must be printable and without spaces.
func (s *Server) Credentials(user string) Credentials {
	username := strconv.FormatInt(s.cfg.Now().Add(CredentialLife).Unix(), 10) + ":" + user
	return Credentials{username, s.password(username)}
}

func (s *Server) password(username string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(username))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// parse reads a username of ours.
func parse(username string) (user string, expires time.Time, ok bool) {
	text, user, ok := strings.Cut(username, ":")
	seconds, err := strconv.ParseInt(text, 10, 64)
	return user, time.Unix(seconds, 0), ok && err == nil
}

// key is what a request of that user must be signed with. Whether it is, the library sees. Expired credentials are good
// for those who have an allocation, to keep it.
func (s *Server) key(username, ofRealm string, from net.Addr) ([]byte, bool) {
	user, expires, ok := parse(username)
	switch {
	case !ok || ofRealm != realm:
		s.drops[badCredentials].Add(1)
		return nil, false
	case s.cfg.Alive != nil && !s.cfg.Alive(user), s.cfg.Now().After(expires) && !s.holds(user, from):
		s.drops[expired].Add(1)
		return nil, false
	}
	return pion.GenerateAuthKey(username, realm, s.password(username)), true
}

// holds says whether a user has an allocation from that address.
func (s *Server) holds(user string, from net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, r := range s.held {
		if r.user == user && c.network == from.Network() && c.from == from.String() {
			return true
		}
	}
	return false
}
