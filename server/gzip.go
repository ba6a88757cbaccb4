package server

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
)

// shortened keeps the site's files compressed, each once.
type shortened struct {
	mu    sync.Mutex
	files map[string]shortFile // mu guards: by name
}

type shortFile struct {
	tag  string // of the file as it is
	data []byte // nil where compression saves nothing
}

// of gives a file compressed, or nil where that saves nothing.
func (s *shortened) of(name, tag string, data []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.files[name]; ok && f.tag == tag {
		return f.data
	}
	if s.files == nil {
		s.files = map[string]shortFile{}
	}
	f := shortFile{tag: tag}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	if closed := w.Close(); err == nil && closed == nil && out.Len() < len(data) {
		f.data = out.Bytes()
	}
	s.files[name] = f
	return f.data
}

// takesGzip says whether a browser takes gzip. Those that do name it without a weight (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return true
		}
	}
	return false
}
