package admission

import (
	"fmt"
	"time"
)

// WaitError is that all places are taken, and what the newcomer gets instead.
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

// Reason says in a word, for programs, why somebody may not even wait.
type Reason string

const (
	Crowded    Reason = "crowded" // as many wait as may
	PerAddress Reason = "address"
	PerKey     Reason = "key"
	Unknown    Reason = "ticket" // it is none, or no more
)

// FullError is that somebody may not even wait.
type FullError struct {
	Reason Reason
	Detail string        // for people
	Again  time.Duration // when to try again; 0 where that is of no use
}

func (e *FullError) Error() string { return e.Detail }
