package fetch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	file := content(50_000)
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(code); return true }
	}
	cases := map[string]struct {
		origin *origin
		want   string
	}{
		"altered":   {&origin{file: append([]byte("x"), file[1:]...)}, "sha256"},
		"too short": {&origin{file: file[:len(file)-1]}, "49999 bytes, want 50000"},
		"too long":  {&origin{file: append(bytes.Clone(file), 'x')}, "50001 bytes, want 50000 at most"},
		"too long, length unknown": {&origin{before: func(w http.ResponseWriter, _ *http.Request) bool {
			w.(http.Flusher).Flush()
			_, _ = w.Write(append(bytes.Clone(file), 'x'))
			return true
		}}, "more than 50000 bytes"},
		"gone":         {&origin{before: status(http.StatusNotFound)}, "404 Not Found; check the address"},
		"out of order": {&origin{before: status(http.StatusBadGateway)}, "502 Bad Gateway"},
		"a web page": {&origin{before: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>sign in</html>")
			return true
		}}, "web page; open the address in a browser"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := job(t, c.origin, file)
			err := j.Run(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want it to say %q", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			if _, err := os.Stat(j.Target); err == nil {
				t.Error("the file is there all the same")
			}
			if part, err := os.Stat(j.Target + ".part"); err == nil && part.Size() == 0 {
				t.Error("an empty part is left")
			}
		})
	}
}
