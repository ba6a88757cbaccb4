// Package server takes publishers' video by WHIP (RFC 9725) over WebRTC, has it analysed, and answers
// labels over a data channel: web/PROTOCOL.md.
//
//	HTTP ─ whip ─► session: read ─ units ─► decode ─ mailbox ─► infer ─► data channel, events
//
// A session is one publisher. Its peer connection is Pion's; how units are decoded and frames analysed
// is given to the server from outside (Engine), so nothing here needs C.
package server
