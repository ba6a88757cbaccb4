package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// siteTypes maps the extensions that are served to their media types. The operating system's own table of types
// differs from machine to machine, so it is not used.
var siteTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".ico":  "image/x-icon",
}

// staticFile is one file of the site, ready to be served.
type staticFile struct {
	mediaType string
	data      []byte
	tag       string // ETag of data, without quotes
	gzipped   []byte // nil where compression saves nothing
}

// staticFiles are the site's files by name.
type staticFiles map[string]staticFile

// newStaticFiles prepares the site's files once.
func newStaticFiles(site map[string][]byte) (staticFiles, error) {
	files := staticFiles{}
	for name, data := range site {
		if !servable(name) {
			continue
		}
		gzipped, err := compress(data)
		if err != nil {
			return nil, fmt.Errorf("compress the site's %s: %w", name, err)
		}
		if len(gzipped) >= len(data) {
			gzipped = nil
		}
		sum := sha256.Sum256(data)
		files[name] = staticFile{siteTypes[path.Ext(name)], data, hex.EncodeToString(sum[:12]), gzipped}
	}
	return files, nil
}

// compress returns data in gzip.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// servable reports whether a file of the site is for visitors. A site may also hold tests and their data.
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

// page serves them.
func (files staticFiles) page(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	} else if strings.HasPrefix(name, "watch/") {
		name = "watch.html" // its script reads the session's id from the address
	} else if path.Ext(name) == "" {
		name += ".html" // /selftest
	}
	file, ok := files[name]
	if !ok {
		return newProblem(http.StatusNotFound, "there is no such page")
	}
	data, tag := file.data, file.tag
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "no-cache") // browsers ask each time; the tag makes it cheap
	h.Add("Vary", "Accept-Encoding")
	if file.gzipped != nil && acceptsGzip(r) {
		data, tag = file.gzipped, tag+"-gzip" // each representation has its own tag (RFC 9110, section 8.8.3.3)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	// Pages of other origins load the widget and frame /embed, isolated pages too (Cross-Origin-Embedder-Policy).
	// A sandboxed frame has no origin that could be allowed. Its files load, so that it says what is missing.
	if r.Header.Get("Origin") == "null" {
		h.Set("Access-Control-Allow-Origin", "null")
	}
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	// The files are small, and a header can name thousands of ranges.
	r.Header.Del("Range")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	return nil
}

// acceptsGzip reports whether a browser accepts gzip. Those that do name it without a weight (RFC 9110, section
// 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return true
		}
	}
	return false
}
