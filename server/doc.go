// Package server is the HTTP edge: it takes publishers' offers by WHIP (RFC 9725) and hands them to sessions, decides
// who may have one, and serves the page. What it says on the wire is in web/PROTOCOL.md.
//
//	request ─► securityHeaders ─► cors ─► route ─► requireAuth ─► admission ─► session
//
// Errors become problem documents in one place, problemOf. Frames are decoded and analysed by what session.Engine has,
// so nothing here needs C.
package server
