package whipclient

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/pion/webrtc/v3"
)

// iceServer is a Link header with credentials, as our server writes it.
var iceServer = regexp.MustCompile(`<(turns?:[^>]+)>; rel="ice-server"; username="([^"]*)"; credential="([^"]*)"`)

// relays asks the endpoint for its TURN servers. It returns a configuration with which the connection uses nothing
// else.
func (c *Client) relays(ctx context.Context, url string) (webrtc.Configuration, error) {
	config := webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	res, err := c.do(ctx, http.MethodOptions, url, "", http.Header{})
	if err != nil {
		return config, err
	}
	defer res.Body.Close()
	for _, link := range res.Header.Values("Link") {
		if m := iceServer.FindStringSubmatch(link); m != nil {
			config.ICEServers = append(config.ICEServers, webrtc.ICEServer{
				URLs: []string{m[1]}, Username: m[2],
				Credential: m[3], CredentialType: webrtc.ICECredentialTypePassword,
			})
		}
	}
	if len(config.ICEServers) == 0 {
		return config, errors.New("find relays: the server names none")
	}
	return config, nil
}
