package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"mindflow/cmd/mindflow/internal/settings"
	"mindflow/server/operate"
)

const readyTimeout = 5 * time.Second

// Ready asks a server whether it takes newcomers. It is the check of containers, which hold no other program to ask
// with.
func Ready() settings.Command {
	return settings.Command{
		Flags: settings.NewFlags("ready [URL]"),
		Run: func(ctx context.Context, call settings.Call, out io.Writer) error {
			url := "http://127.0.0.1:8081"
			switch len(call.Args) {
			case 0:
			case 1:
				url = strings.TrimSuffix(call.Args[0], "/")
			default:
				return fmt.Errorf("ready takes one argument, the server's URL, such as %s, which --admin gives", url)
			}
			return askReady(ctx, url, out)
		},
	}
}

func askReady(ctx context.Context, url string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
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
