package serve

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/access"
)

// TokenShared makes a token that all who may use a server share.
func TokenShared() settings.Command {
	fs := settings.NewFlags("token shared")
	return settings.Command{Flags: fs, Only: true, Run: func(_ context.Context, call settings.Call,
		out io.Writer) error {
		if len(call.Args) > 0 {
			return fmt.Errorf("token shared takes no argument %q", call.Args[0])
		}
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
		_, err := fmt.Fprintln(out, base64.RawURLEncoding.EncodeToString(b[:]))
		return err
	}}
}

// TokenKey makes a key that signs tokens.
func TokenKey() settings.Command {
	fs := settings.NewFlags("token key FILE")
	algorithm := fs.String("alg", access.EdDSA, "`algorithm`: EdDSA, of which the server gets the public part only, "+
		"or HS256, which is one secret for both")
	id := fs.String("id", time.Now().UTC().Format("2006-01-02"), "`name` of the key, by which tokens say who signed "+
		"them (kid)")
	return settings.Command{Flags: fs, Only: true, Run: func(_ context.Context, call settings.Call,
		out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("token key: name one file to write, such as mindflow token key signing-key.json")
		}
		return makeKey(call.Args[0], *algorithm, *id, out)
	}}
}

func makeKey(path, algorithm, id string, out io.Writer) error {
	key, err := access.NewKey(algorithm, id)
	if err != nil {
		return fmt.Errorf("--alg: %w", err)
	}
	text, err := access.FormatKeys(key)
	if err != nil {
		return err
	}
	if err := writeSecret(path, text); err != nil {
		return err
	}
	next := "mindflow token public " + path + " prints the part for the server"
	if algorithm == access.HS256 {
		next = "the server needs it too: mindflow serve --jwt-keys " + path
	}
	_, err = fmt.Fprintf(out, "%s holds the new key; keep it secret. %s.\n", path, next)
	return err
}

// writeSecret writes a new file that only this user may read.
func writeSecret(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and tokens may hang on it: name another file", path)
	}
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	return nil
}

// TokenPublic prints the public part of keys, for the server.
func TokenPublic() settings.Command {
	fs := settings.NewFlags("token public FILE...")
	return settings.Command{Flags: fs, Only: true, Run: func(_ context.Context, call settings.Call,
		out io.Writer) error {
		if len(call.Args) == 0 {
			return errors.New("token public: name the files that mindflow token key wrote; several, while one key " +
				"takes over from another")
		}
		return printPublic(call.Args, out)
	}}
}

func printPublic(paths []string, out io.Writer) error {
	var all []access.Key
	for _, path := range paths {
		keys, err := readKeys(path)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k, err = k.Public(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			all = append(all, k)
		}
	}
	text, err := access.FormatKeys(all...)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// readKeys reads a key set.
func readKeys(path string) ([]access.Key, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	keys, err := access.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// TokenSign makes a token for one visitor or program.
func TokenSign() settings.Command {
	fs := settings.NewFlags("token sign KEYFILE")
	var claims access.Claims
	fs.StringVar(&claims.Audience, "aud", "mindflow", "`server` that it is for: what serve --jwt-audience says")
	fs.StringVar(&claims.Subject, "sub", "", "`name` of whom it is for; sessions belong to it. Without one, to who "+
		"has this very token")
	lasts := fs.Duration("for", 10*time.Minute, "`time` that it is good for")
	fs.Var((*settings.List)(&claims.Origins), "origin", "`origin` of pages that may use it; several: repeat or use "+
		"commas; any that the server allows where none is named")
	fs.IntVar(&claims.MaxSessions, "max-sessions", 0, "sessions at a time, of --sub; 0 leaves it to the server")
	fs.DurationVar(&claims.SessionTime, "session-time", 0, "longest `time` of a session; 0 leaves it to the server")
	id := fs.String("key", "", "`name` of the key in the file (kid); its first one where none is named")
	return settings.Command{Flags: fs, Only: true, Run: func(_ context.Context, call settings.Call,
		out io.Writer) error {
		if len(call.Args) != 1 {
			return errors.New("token sign: name the file that mindflow token key wrote")
		}
		key, err := readKey(call.Args[0], *id)
		if err != nil {
			return err
		}
		now := time.Now()
		claims.Expires = now.Add(*lasts)
		text, err := access.Mint(key, claims, now)
		if err != nil {
			return fmt.Errorf("token sign: %w", err)
		}
		_, err = fmt.Fprintln(out, text)
		return err
	}}
}

// readKey reads the key of that name, or the first one, from a key set.
func readKey(path, id string) (access.Key, error) {
	keys, err := readKeys(path)
	if err != nil {
		return access.Key{}, err
	}
	key := keys[0]
	for _, k := range keys {
		if k.ID == id {
			key = k
		}
	}
	if id != "" && key.ID != id {
		return key, fmt.Errorf("--key %s: %s holds no key of this name", id, path)
	}
	return key, nil
}
