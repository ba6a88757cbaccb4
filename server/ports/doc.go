// Package ports opens the ports of a server and knows who is at their other end: the UDP and TCP ports of the media
// with the candidates that lead to them, limits on connections, the addresses of clients behind proxies, and the host's
// public address.
package ports
