package server

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"mindflow/server/offer"
	"mindflow/server/session"
)

// TestProblemOf maps the errors of a session to statuses.
func TestProblemOf(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
		retry  string
	}{
		{offer.Refuse(offer.Malformed, "no SDP"), http.StatusBadRequest, ""},
		{fmt.Errorf("answer offer: %w", offer.Refuse(offer.Unservable, "no video")), http.StatusUnprocessableEntity,
			""},
		{session.ErrEnded, http.StatusNotFound, ""},
		{session.ErrOutdated, http.StatusPreconditionFailed, ""},
		{fmt.Errorf("restart ICE: %w", session.ErrTooOften), http.StatusTooManyRequests, "1"},
	} {
		p := problemOf(row.err)
		if p == nil || p.Status != row.status || p.header.Get("Retry-After") != row.retry {
			t.Errorf("%v: %+v, want status %d", row.err, p, row.status)
		}
	}
	if p := problemOf(errors.New("made by the test")); p != nil {
		t.Errorf("an error of the server's is the problem %+v", p)
	}
}
