package whipclient

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// RefusedError is an answer with an error status.
type RefusedError struct {
	Status     int
	Detail     string        // the server's words
	RetryAfter time.Duration // the wait that the server asks for before the next try; zero means that it asks for none
	Ticket     string        // for the next try, to keep the place in the queue; optional
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	if detail := Printable(strings.TrimSpace(e.Detail)); detail != "" {
		text += ": " + detail
	}
	return text
}

// Printable makes a server's text safe for a terminal: one line without control characters, at most 300 characters.
func Printable(said string) string {
	const most = 300 // characters
	var text strings.Builder
	n := 0
	for _, r := range said {
		if n++; n > most {
			text.WriteString("…")
			break
		}
		if unicode.IsPrint(r) {
			text.WriteRune(r)
			continue
		}
		text.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return text.String()
}

// refused returns the error of an answer. Of a problem document (RFC 9457) it takes the detail.
func refused(res *http.Response, body []byte) *RefusedError {
	e := &RefusedError{
		Status: res.StatusCode, Detail: string(body), Ticket: ticket(res),
		RetryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now()),
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/problem+json" {
		return e
	}
	if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
		e.Detail = problem.Detail
	}
	return e
}

// ticket returns the server's ticket, unless it is too long to be sent back.
func ticket(res *http.Response) string {
	const most = 256 // characters
	text := res.Header.Get(ticketHeader)
	if len(text) > most {
		return ""
	}
	return text
}

// retryAfter reads seconds or a date: RFC 9110, section 10.2.3. It returns zero for anything else.
func retryAfter(value string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), int(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}
