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

// RefusedError is a server's answer that is not what was asked for.
type RefusedError struct {
	Status     int
	Detail     string        // the server's words
	RetryAfter time.Duration // what the server asks to wait before trying again; 0 when it does not say
	Ticket     string        // to be shown then, so that the place in the queue is kept; "" where the server gives none
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	if detail := Printable(strings.TrimSpace(e.Detail)); detail != "" {
		text += ": " + detail
	}
	return text
}

// Printable is what a server says, fit for a terminal: in one line, without what would steer it, and not endless.
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

// refused reads an answer's body, and of a problem document (RFC 9457) the part that is written for people.
func refused(res *http.Response, body []byte) *RefusedError {
	e := &RefusedError{Status: res.StatusCode, Detail: string(body), RetryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now()),
		Ticket: ticket(res)}
	var problem struct {
		Detail string `json:"detail"`
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != "application/problem+json" {
		return e
	}
	if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
		e.Detail = problem.Detail
	}
	return e
}

// ticket is the server's, as far as it can be sent back.
func ticket(res *http.Response) string {
	const most = 256 // characters
	text := res.Header.Get(ticketHeader)
	if len(text) > most {
		return ""
	}
	return text
}

// retryAfter reads seconds or a date: RFC 9110, section 10.2.3. What is neither says nothing.
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
