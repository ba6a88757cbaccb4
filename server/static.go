package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// siteTypes are the kinds of file that are served, and as what. The operating system's own table of
// types differs from machine to machine, so it is not asked.
var siteTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".ico":  "image/x-icon",
}

// servable says whether a file of the site is for visitors. The folder also holds tests and their data.
func servable(name string) bool {
	if !fs.ValidPath(name) || siteTypes[path.Ext(name)] == "" {
		return false
	}
	for _, element := range strings.Split(name, "/") {
		switch {
		case strings.HasPrefix(element, "."), strings.HasPrefix(element, "_"):
			return false
		case element == "test", element == "tests", element == "testdata", element == "node_modules":
			return false
		}
	}
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	return !strings.HasSuffix(stem, ".test") && !strings.HasSuffix(stem, "_test") &&
		!strings.HasSuffix(stem, ".config")
}

// page serves the site's files.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	} else if strings.HasPrefix(name, "watch/") {
		name = "watch.html" // whose script reads the session's id from the address
	} else if path.Ext(name) == "" {
		name += ".html" // /selftest
	}
	missing := newProblem(http.StatusNotFound, "there is no such page")
	if s.cfg.Site == nil || !servable(name) {
		return missing
	}
	data, err := fs.ReadFile(s.cfg.Site, name)
	if errors.Is(err, fs.ErrNotExist) {
		return missing
	}
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	tag := hex.EncodeToString(sum[:12])
	h := w.Header()
	h.Set("Content-Type", siteTypes[path.Ext(name)])
	h.Set("Cache-Control", "no-cache") // ask each time; the tag makes it cheap
	h.Add("Vary", "Accept-Encoding")
	if short := s.short.of(name, tag, data); short != nil && takesGzip(r) {
		data, tag = short, tag+"-gzip" // another representation, another tag (RFC 9110, section 8.8.3.3)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the widget is for pages of others
	r.Header.Del("Range")                                 // the files are small; nobody needs parts of them, and a header can name thousands
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	return nil
}
