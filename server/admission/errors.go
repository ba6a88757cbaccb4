package admission

import (
	"fmt"
	"time"
)

// WaitError reports that all places are taken and that the client is queued.
type WaitError struct{ Status Status }

func (e *WaitError) Error() string {
	switch e.Status.Ahead {
	case 0:
		return "the server is full; you are next"
	case 1:
		return "the server is full; one person comes before you"
	}
	return fmt.Sprintf("the server is full; %d people come before you", e.Status.Ahead)
}

// Reason is why a client is refused, in one word for programs.
type Reason string

// The reasons of a RefusedError.
const (
	QueueFull     Reason = "crowded"
	PerAddress    Reason = "address"
	PerKey        Reason = "key"
	UnknownTicket Reason = "ticket" // it was never issued, or has expired
)

// RefusedError reports that a client is neither admitted nor queued.
type RefusedError struct {
	Reason     Reason
	Detail     string        // for people
	RetryAfter time.Duration // zero means that a retry is of no use
}

func (e *RefusedError) Error() string { return e.Detail }
