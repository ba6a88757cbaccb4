package whipclient

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"

	"mindflow/server/sdpfrag"
)

// Restart moves the session to a new path by an ICE restart (RFC 9725, section 4.3.3), as after a change of the
// network. The connection stays open meanwhile.
func (c *Client) Restart(ctx context.Context) error {
	offer, err := c.offer(ctx, &webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return err
	}
	ours, err := parse(offer)
	if err != nil {
		return err
	}
	theirs, err := c.exchange(ctx, sdpfrag.Of(ours))
	if err != nil {
		return err
	}
	before, err := parse(c.pc.RemoteDescription())
	if err != nil {
		return err
	}
	answer, err := theirs.Apply(before)
	if err != nil {
		return err
	}
	text, err := answer.Marshal()
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(text)}
	if err := c.pc.SetRemoteDescription(remote); err != nil {
		return fmt.Errorf("apply answer: %w", err)
	}
	return nil
}

// exchange sends the fragment of a restart and returns the server's.
func (c *Client) exchange(ctx context.Context, f sdpfrag.Fragment) (sdpfrag.Fragment, error) {
	res, err := c.do(ctx, http.MethodPatch, c.session, f.String(),
		http.Header{"Content-Type": {sdpfrag.MediaType}, "If-Match": {"*"}})
	if err != nil {
		return sdpfrag.Fragment{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return sdpfrag.Fragment{}, fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return sdpfrag.Fragment{}, refused(res, body)
	}
	return sdpfrag.Parse(string(body))
}

func parse(d *webrtc.SessionDescription) (*sdp.SessionDescription, error) {
	parsed := &sdp.SessionDescription{}
	if err := parsed.UnmarshalString(d.SDP); err != nil {
		return nil, fmt.Errorf("parse %s: %w", d.Type, err)
	}
	return parsed, nil
}
