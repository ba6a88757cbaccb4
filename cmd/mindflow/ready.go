package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"mindflow/server/operate"
)

const readyTime = 5 * time.Second // for an answer

// askReady asks a server whether it takes newcomers: the check of containers, where there is no other program to ask with.
func askReady(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("mindflow ready [URL]", flag.ContinueOnError)
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	url := "http://127.0.0.1:8081"
	switch len(rest) {
	case 0:
	case 1:
		url = strings.TrimSuffix(rest[0], "/")
	default:
		return fmt.Errorf("ready takes one argument, the server's URL, such as %s, which --admin gives", url)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ready: %w", err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return fmt.Errorf("ready: %w; is it started, with --admin?", err)
	}
	defer response.Body.Close()
	var answer operate.ReadyReport
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err != nil {
		return fmt.Errorf("ready: %s/readyz is no answer of mindflow's: %w", url, err)
	}
	if !answer.Ready {
		return fmt.Errorf("not ready: %s", strings.Join(answer.Reasons, "; "))
	}
	for part, why := range answer.Degraded {
		if _, err := fmt.Fprintf(out, "degraded: %s: %s\n", part, why); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, "ready")
	return err
}
