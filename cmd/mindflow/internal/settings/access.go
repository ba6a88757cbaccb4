package settings

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"strings"
	"time"
)

// Access holds the settings of serve for authentication.
type Access struct {
	Open      bool // everybody may
	Token     Secret
	TokenFile string // optional
	JWTKeys   string // file; optional
	Audience  string

	MaxTokenLife time.Duration // how far ahead a signed token may expire
}

func (a *Access) declare(fs *flag.FlagSet) {
	fs.BoolVar(&a.Open, "open", false, "let everybody in who reaches the server; without keys this must be said where "+
		"it listens beyond this machine")
	fs.Var(&a.Token, "token", "bearer `token` that visitors must show; set it by MINDFLOW_TOKEN or a settings file, "+
		"as others see the flag in the list of processes")
	fs.StringVar(&a.TokenFile, "token-file", "", "`file` of bearer tokens that visitors may show, one a line; "+
		"mindflow token shared makes one")
	fs.StringVar(&a.JWTKeys, "jwt-keys", "", "`file` of the keys that sign visitors' tokens (JWT), as a JSON Web Key "+
		"Set; mindflow token key makes one")
	fs.StringVar(&a.Audience, "jwt-audience", "mindflow", "`name` of this server, which signed tokens must bear (aud)")
	fs.DurationVar(&a.MaxTokenLife, "max-token-life", 365*24*time.Hour, "the longest `time` that a signed token may "+
		"still be valid (exp)")
}

// CheckAccess checks the settings for a server that listens at listen. from has the source of each.
func (a *Access) CheckAccess(listen string, from Sources) error {
	keyed := a.RequireAuth()
	switch {
	case from["token"] == "--token":
		return errors.New("--token: others on this machine see it in the list of processes; put it into " +
			"MINDFLOW_TOKEN, or into a file that --token-file names")
	case a.Open && keyed:
		return errors.New("--open lets everybody in, and a token or keys are given: leave out one of them")
	case a.JWTKeys != "" && a.Audience == "":
		return errors.New("--jwt-audience: name this server, as tokens do in aud")
	case a.MaxTokenLife <= 0:
		return fmt.Errorf("--max-token-life %s: use more than 0, such as 24h", a.MaxTokenLife)
	case !keyed && !a.Open && !isLoopback(listen):
		return fmt.Errorf("--listen %s: everybody who reaches this address could use the server. Say who may: "+
			"--token-file FILE (mindflow token shared makes a token), --jwt-keys FILE, or --open for everybody", listen)
	}
	return CheckToken(a.Token)
}

// RequireAuth reports whether visitors have to show a token.
func (a *Access) RequireAuth() bool { return a.Token != "" || a.TokenFile != "" || a.JWTKeys != "" }

// isLoopback reports whether only this machine reaches address. An address that cannot be read fails where the server
// listens on it.
func isLoopback(address string) bool {
	if address == "" {
		return true // the default is meant
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	return err != nil || addr.IP.IsLoopback()
}

// CheckToken refuses a bearer token that cannot stand in an HTTP header.
func CheckToken(token Secret) error {
	if strings.ContainsFunc(string(token), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("--token: it holds a space or a character beyond ASCII; copy it again")
	}
	return nil
}
