package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"mindflow/cmd/mindflow/internal/doctor"
)

// examine checks the machine for the settings of serve. It is an error that a check fails.
func examine(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow doctor", flag.ContinueOnError)
	s := newServeFlags(fs)
	asJSON := fs.Bool("json", false, "print one JSON list of {check, status, detail, cure}")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("doctor takes no argument %q; mindflow doctor --help lists the flags", rest[0])
	}
	if err := s.check(); err != nil {
		return err
	}
	tryDevices(ctx, &s.engine)
	results, failures := []doctor.Result{}, 0
	var printed error
	err = doctor.Examine(ctx, doctor.Setup{
		Listen: s.server.Listen, Media: s.server.Media, Admin: s.admin,
		MaxPixels: s.maxPixels, Decoder: s.decode.device(), Named: s.decode != "auto", Engine: s.engine, Reach: s.examined(), Keys: s.access.keyed(), Open: s.access.open,
	}, func(r doctor.Result) {
		results = append(results, r)
		if r.Status == doctor.Failure {
			failures++
		}
		if !*asJSON && printed == nil {
			printed = printResult(out, r, isTerminal(out) && os.Getenv("NO_COLOR") == "")
		}
	})
	if err == nil && *asJSON {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		printed = lines.Encode(results)
	}
	switch {
	case err != nil:
		return err
	case printed != nil:
		return fmt.Errorf("print results: %w", printed)
	case failures == 1:
		return fmt.Errorf("doctor: 1 check failed")
	case failures > 0:
		return fmt.Errorf("doctor: %d checks failed", failures)
	}
	return nil
}

// examined is what of the settings concerns visitors from elsewhere.
func (s *serveFlags) examined() doctor.Reach {
	t, r := s.tls, s.reach
	return doctor.Reach{
		Cert: t.cert, Key: t.key, Domains: t.domains, SelfSigned: t.selfSigned, Folder: t.folder, Redirect: t.redirect,
		MediaTCP: r.mediaTCP, PublicIPs: r.publicIPs, STUNServer: r.stunServer, Turn: r.turn, TurnTLS: r.turnTLS,
	}
}

// colours of the terminal, as SGR parameters.
var colours = map[string]string{doctor.OK: "32", doctor.Warning: "33", doctor.Failure: "31"}

func printResult(out io.Writer, r doctor.Result, colour bool) error {
	status := fmt.Sprintf("%-7s", r.Status)
	if colour {
		status = "\x1b[" + colours[r.Status] + "m" + status + "\x1b[0m"
	}
	text := fmt.Sprintf("%s  %-20s  %s\n", status, r.Check, r.Detail)
	if r.Cure != "" {
		text += fmt.Sprintf("%31s→ %s\n", "", r.Cure)
	}
	_, err := io.WriteString(out, text)
	return err
}
