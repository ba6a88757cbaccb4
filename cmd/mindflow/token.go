package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"mindflow/server/access"
)

// tokenCommands are what `mindflow token` can do.
var tokenCommands = []command{
	{"shared", "make a token that all who may use a server share (serve --token-file)", sharedToken},
	{"key", "make a key that signs tokens", tokenKey},
	{"public", "print the public part of a key, for the server (serve --jwt-keys)", publicKey},
	{"sign", "make a token for one visitor or program", signToken},
}

// tokens runs one of tokenCommands.
func tokens(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		fmt.Fprintln(out, "usage: mindflow token COMMAND [FLAGS]")
		for _, c := range tokenCommands {
			fmt.Fprintf(out, "  %-9s %s\n", c.name, c.brief)
		}
		if len(args) == 0 {
			return errors.New("token: name a command")
		}
		return nil
	}
	for _, c := range tokenCommands {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	return fmt.Errorf("unknown command %q; mindflow token help lists the commands", "token "+args[0])
}

// parseOnly is parse for commands whose flags are no settings: neither the environment nor a file is asked.
func parseOnly(fs *flag.FlagSet, args []string) (rest []string, err error) {
	var said strings.Builder
	fs.SetOutput(&said)
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Print(said.String())
			return nil, err
		} else if err != nil {
			return nil, explain(fs, err)
		}
		if args = fs.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// sharedToken is `mindflow token shared`.
func sharedToken(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow token shared", flag.ContinueOnError)
	if rest, err := parseOnly(fs, args); err != nil {
		return err
	} else if len(rest) > 0 {
		return fmt.Errorf("token shared takes no argument %q", rest[0])
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	_, err := fmt.Fprintln(out, base64.RawURLEncoding.EncodeToString(b[:]))
	return err
}

// tokenKey is `mindflow token key`.
func tokenKey(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow token key FILE", flag.ContinueOnError)
	algorithm := fs.String("alg", access.EdDSA, "`algorithm`: EdDSA, of which the server gets the public part only, or HS256, which is one secret for both")
	id := fs.String("id", time.Now().UTC().Format("2006-01-02"), "`name` of the key, by which tokens say who signed them (kid)")
	rest, err := parseOnly(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errors.New("token key: name one file to write, such as mindflow token key signing-key.json")
	}
	key, err := access.NewKey(*algorithm, *id)
	if err != nil {
		return fmt.Errorf("--alg: %w", err)
	}
	text, err := access.FormatKeys(key)
	if err != nil {
		return err
	}
	if err := writeSecret(rest[0], text); err != nil {
		return err
	}
	next := "mindflow token public " + rest[0] + " prints the part for the server"
	if *algorithm == access.HS256 {
		next = "the server needs it too: mindflow serve --jwt-keys " + rest[0]
	}
	_, err = fmt.Fprintf(out, "%s holds the new key; keep it secret. %s.\n", rest[0], next)
	return err
}

// writeSecret writes a file that is for this user alone, and overwrites none.
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

// publicKey is `mindflow token public`.
func publicKey(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow token public FILE...", flag.ContinueOnError)
	rest, err := parseOnly(fs, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return errors.New("token public: name the files that mindflow token key wrote; several, while one key takes over from another")
	}
	var all []access.Key
	for _, path := range rest {
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

// signToken is `mindflow token sign`.
func signToken(_ context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow token sign KEYFILE", flag.ContinueOnError)
	var claims access.Claims
	fs.StringVar(&claims.Audience, "aud", "mindflow", "`server` that it is for: what serve --jwt-audience says")
	fs.StringVar(&claims.Subject, "sub", "", "`name` of whom it is for; sessions belong to it. Without one, to who has this very token")
	lasts := fs.Duration("for", 10*time.Minute, "`time` that it is good for")
	fs.Var((*list)(&claims.Origins), "origin", "`origin` of pages that may use it; several: repeat or use commas; any that the server allows where none is named")
	fs.IntVar(&claims.MaxSessions, "max-sessions", 0, "sessions at a time, of --sub; 0 leaves it to the server")
	fs.DurationVar(&claims.SessionTime, "session-time", 0, "longest `time` of a session; 0 leaves it to the server")
	id := fs.String("key", "", "`name` of the key in the file (kid); its first one where none is named")
	rest, err := parseOnly(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errors.New("token sign: name the file that mindflow token key wrote")
	}
	keys, err := readKeys(rest[0])
	if err != nil {
		return err
	}
	key := keys[0]
	for _, k := range keys {
		if k.ID == *id {
			key = k
		}
	}
	if *id != "" && key.ID != *id {
		return fmt.Errorf("--key %s: %s holds no key of this name", *id, rest[0])
	}
	now := time.Now()
	claims.Expires = now.Add(*lasts)
	text, err := access.Mint(key, claims, now)
	if err != nil {
		return fmt.Errorf("token sign: %w", err)
	}
	_, err = fmt.Fprintln(out, text)
	return err
}
