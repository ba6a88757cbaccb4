package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"mindflow/pipeline"
	"mindflow/server/whipclient"
)

const (
	dialTime  = 20 * time.Second // for a session to connect
	closeTime = 2 * time.Second  // for the DELETE at the end

	// draining is the reason of a bye when the server is about to stop (web/PROTOCOL.md, section 4). A session that
	// stayed would delay its end, and would measure nothing useful.
	draining = "draining"
)

// session publishes the clip and measures what comes back.
type session struct {
	number int // from 0 on
	plan   *Plan
	meter  meter
}

// run publishes until ctx ends, which is not an error. ready is called when the session is connected.
func (s *session) run(ctx context.Context, ready func()) (refused bool, err error) {
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	client, err := whipclient.Dial(dialing, s.plan.URL, whipclient.Options{
		Codec: pipeline.VP8, Client: s.plan.Client, Token: s.plan.Token,
		Conditions: s.plan.Conditions, OnSend: s.meter.sending,
	})
	cancel()
	if err != nil {
		var answer *whipclient.RefusedError
		return errors.As(err, &answer), err
	}
	ready()
	sending, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() { sent <- s.send(sending, client) }()
	err = s.receive(client, sent)
	stop()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if failed := client.Close(closing); err == nil && failed != nil {
		err = fmt.Errorf("end the session: %w", failed)
	}
	return false, err
}

// send publishes the clip in a loop. Each session begins at another key unit, and at another moment within the time of
// a frame. When a key frame is requested, it continues at the clip's next.
func (s *session) send(ctx context.Context, client *whipclient.Client) error {
	frame := time.Duration(float64(time.Second) / s.plan.Rate)
	phase := frame * time.Duration(s.number) / time.Duration(s.plan.Sessions)
	wait := (phase - time.Since(s.meter.epoch)%frame + frame) % frame
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
	}
	return client.Publish(ctx, from(s.plan.Units, s.number, rand.Uint32()), true)
}

// receive measures labels until sending ends or the server asks to leave, and returns the reason.
func (s *session) receive(client *whipclient.Client, sent <-chan error) error {
	reason := ""
	for {
		select {
		case m := <-client.Labels():
			if m.V != pipeline.Version {
				return fmt.Errorf("the server speaks version %d of the protocol, this program %d; update the older",
					m.V, pipeline.Version)
			}
			s.meter.label(&m)
		case c := <-client.Controls():
			if c.Type == "bye" {
				reason = whipclient.Printable(c.Reason)
			}
			if reason == draining {
				return ended(nil, reason, client)
			}
		case err := <-sent:
			return ended(err, reason, client)
		}
	}
}

// ended returns the server's reason of the end, or else the error of sending.
func ended(err error, reason string, client *whipclient.Client) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	for reason == "" { // it may have come just before the end
		select {
		case c := <-client.Controls():
			if c.Type == "bye" {
				reason = whipclient.Printable(c.Reason)
			}
			continue
		default:
		}
		if errors.Is(err, io.EOF) {
			return errors.New("the connection to the server is lost")
		}
		return fmt.Errorf("the connection to the server is lost: %w", err)
	}
	return fmt.Errorf("the server ended the session: %s", reason)
}
