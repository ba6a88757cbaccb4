package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"mindflow/server/access"
)

// accessFlags are the settings of `serve` that say who may use it.
type accessFlags struct {
	open      bool
	token     secret
	tokenFile string // "" is none
	jwtKeys   string // "" is none
	audience  string
}

func (a *accessFlags) declare(fs *flag.FlagSet) {
	fs.BoolVar(&a.open, "open", false, "let everybody in who reaches the server; without keys this must be said where it listens beyond this machine")
	fs.Var(&a.token, "token", "bearer `token` that visitors must show; set it by MINDFLOW_TOKEN or a settings file, as others see the flag in the list of processes")
	fs.StringVar(&a.tokenFile, "token-file", "", "`file` of bearer tokens that visitors may show, one a line; mindflow token shared makes one")
	fs.StringVar(&a.jwtKeys, "jwt-keys", "", "`file` of the keys that sign visitors' tokens (JWT), as a JSON Web Key Set; mindflow token key makes one")
	fs.StringVar(&a.audience, "jwt-audience", "mindflow", "`name` of this server, which signed tokens must bear (aud)")
}

// check says what is wrong with the settings for a server that listens at listen; from tells where they come from.
func (a *accessFlags) check(listen string, from sources) error {
	keyed := a.keyed()
	switch {
	case from["token"] == "--token":
		return errors.New("--token: others on this machine see it in the list of processes; put it into MINDFLOW_TOKEN, or into a file that --token-file names")
	case a.open && keyed:
		return errors.New("--open lets everybody in, and a token or keys are given: leave out one of them")
	case a.jwtKeys != "" && a.audience == "":
		return errors.New("--jwt-audience: name this server, as tokens do in aud")
	case !keyed && !a.open && !isLoopback(listen):
		return fmt.Errorf("--listen %s: everybody who reaches this address could use the server. Say who may: --token-file FILE (mindflow token shared makes a token), --jwt-keys FILE, or --open for everybody", listen)
	}
	return checkToken(string(a.token))
}

// keyed says whether visitors have to show a token.
func (a *accessFlags) keyed() bool { return a.token != "" || a.tokenFile != "" || a.jwtKeys != "" }

// isLoopback says whether only this machine reaches address; one that cannot be read is told of where it is listened on.
func isLoopback(address string) bool {
	if address == "" {
		return true // the default is meant
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	return err != nil || addr.IP.IsLoopback()
}

// gate is what decides who may in, by the files as they are at any time.
func (a *accessFlags) gate(log *slog.Logger) (*access.Gate, error) {
	var files []string
	for _, name := range []string{a.tokenFile, a.jwtKeys} {
		if name != "" {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return a.read()
	}
	return access.Renewed(a.read, files, log)
}

// read reads the files.
func (a *accessFlags) read() (*access.Gate, error) {
	var shared []string
	if a.token != "" {
		shared = append(shared, string(a.token))
	}
	var keys []access.Key
	if a.tokenFile != "" {
		text, err := readSecret(a.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				shared = append(shared, line)
			}
		}
		if len(shared) == 0 {
			return nil, fmt.Errorf("--token-file: %s holds no token; mindflow token shared makes one", a.tokenFile)
		}
	}
	if a.jwtKeys != "" {
		var err error
		if keys, err = readKeys(a.jwtKeys); err != nil {
			return nil, fmt.Errorf("--jwt-keys: %w", err)
		}
	}
	g, err := access.New(shared, keys, a.audience)
	if err != nil {
		return nil, fmt.Errorf("shared tokens: %w", err)
	}
	return g, nil
}

// maxSecret bounds a file of tokens or keys, in bytes.
const maxSecret = 64 << 10

// readSecret reads a file of tokens or keys. The error shows nothing of it.
func readSecret(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(text) > maxSecret {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxSecret)
	}
	return text, nil
}

// secret is a flag whose value is not printed.
type secret string

func (s *secret) String() string { return "" } // what --help would show as the default

func (s *secret) Set(v string) error {
	*s = secret(v)
	return nil
}
