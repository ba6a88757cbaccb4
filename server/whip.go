package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"mindflow/server/sdpfrag"
	"mindflow/server/session"
)

const (
	maxBody       = 128 << 10 // bytes of an offer or a fragment; Chromium's largest offers are about 10 KiB
	gatherTimeout = 5 * time.Second
	offerType     = "application/sdp"
)

// publish serves POST /whip: RFC 9725, section 4.2.
func (s *Server) publish(w http.ResponseWriter, r *http.Request, v visitor) (err error) {
	defer func() {
		if err != nil {
			s.refused(r, err)
		}
	}()
	if err := s.checkAdmission(v, time.Now()); err != nil {
		return err
	}
	body, err := readBody(w, r, offerType)
	if err != nil {
		return err
	}
	o, err := s.codecs.Parse(body, s.log)
	if err != nil {
		return err
	}
	analysis, err := s.engine.Analysis(r.URL.Query().Get("model"))
	if err != nil {
		return newProblem(http.StatusBadRequest, err.Error())
	}
	ctx, cancel := context.WithTimeout(r.Context(), gatherTimeout)
	defer cancel()
	if err := s.replace(ctx, v); err != nil {
		return fmt.Errorf("end the session before: %w", err)
	}
	sess, err := s.open(analysis, v)
	if err != nil {
		return err
	}
	answer, err := sess.Accept(ctx, o)
	if err != nil {
		s.discard(sess)
		return fmt.Errorf("answer offer: %w", err)
	}
	at, user := beside(r, "sessions/"+sess.ID()), relayUser(sess.ID())
	s.relayed.Store(user, true)
	s.start(sess)

	h := w.Header()
	h.Set("Content-Type", offerType)
	h.Set("Location", at)
	h.Set("ETag", answer.ETag)
	h.Set(ticketHeader, sess.place.Ticket)
	h.Set("Accept-Patch", sdpfrag.MediaType)
	h.Set("Link", "<"+at+`/labels>; rel="urn:mindflow:labels"`)
	s.iceServers(w, r, user)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer.SDP) // a client that has disconnected sends no media, which ends its session
	return nil
}

// beside returns a reference to name, in the folder that holds /whip, relative to the address of r (RFC 3986, section
// 5.2). A proxy may serve that folder under a path prefix, which the server does not know.
func beside(r *http.Request, name string) string {
	if strings.HasSuffix(r.URL.Path, "/") {
		return "../" + name
	}
	return name
}

// amend serves PATCH /sessions/{id}: candidates, or an ICE restart (RFC 9725, section 4.3).
func (s *Server) amend(w http.ResponseWriter, r *http.Request, v visitor) error {
	sess, err := s.find(r, v)
	if err != nil {
		return err
	}
	body, err := readBody(w, r, sdpfrag.MediaType)
	if err != nil {
		return err
	}
	ifMatch := r.Header.Get("If-Match")
	if ifMatch == "" {
		return newProblem(http.StatusPreconditionRequired, "send If-Match with the session's ETag")
	}
	f, err := sdpfrag.Parse(string(body))
	if err != nil {
		return newProblem(http.StatusBadRequest, err.Error())
	}
	ctx, cancel := context.WithTimeout(r.Context(), gatherTimeout)
	defer cancel()
	answer, err := sess.Patch(ctx, ifMatch, f)
	switch {
	case err != nil:
		return err
	case answer.SDP == "":
		return noContent(w)
	}
	w.Header().Set("Content-Type", sdpfrag.MediaType)
	w.Header().Set("ETag", answer.ETag)
	_, _ = io.WriteString(w, answer.SDP)
	return nil
}

// remove serves DELETE /sessions/{id}. It answers when everything that the session held is free.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, v visitor) error {
	sess, err := s.find(r, v)
	if err != nil {
		return err
	}
	sess.End(session.EndDeleted)
	select {
	case <-sess.gone:
	case <-r.Context().Done():
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// options serves OPTIONS /whip: what may be posted and, to those who may post, the TURN servers, for clients that
// gather before they post (RFC 9725, section 4.6). A browser's CORS preflight carries no token.
func (s *Server) options(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Access-Control-Request-Method") == "" {
		if v, err := s.authenticate(r, time.Now()); err == nil {
			sum := sha256.Sum256([]byte(v.network.String()))
			s.iceServers(w, r, anonymous+hex.EncodeToString(sum[:8]))
		}
	}
	return options(w, "Accept-Post", offerType)
}

// inspect serves GET /sessions/{id}: it tells whether there is a session.
func (s *Server) inspect(w http.ResponseWriter, r *http.Request, v visitor) error {
	if _, err := s.find(r, v); err != nil {
		return err
	}
	return noContent(w)
}

// find returns the session of the path. It does not tell a session of another subject from one that does not exist.
func (s *Server) find(r *http.Request, v visitor) (*hosted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.sessions[r.PathValue("id")]
	if sess == nil || sess.Context().Err() != nil || !v.owns(sess) {
		return nil, noSession()
	}
	return sess, nil
}

// readBody reads a body of the wanted type and of at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request, want string) ([]byte, error) {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return nil, newProblem(http.StatusUnsupportedMediaType, "send Content-Type: "+want).with("Accept", want)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, newProblem(http.StatusRequestEntityTooLarge, "send at most 131072 bytes")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, newProblem(http.StatusRequestTimeout, "the body did not arrive in time; send it again")
	}
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "the body did not arrive whole: "+err.Error())
	}
	return body, nil
}
