package site

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"regexp"
	"testing"
	"testing/fstest"

	"mindflow/web"
)

// TestWidgetIsSmall holds what a page of somebody else loads for the widget: the file and those parts that it needs at once.
func TestWidgetIsSmall(t *testing.T) {
	site, err := Pack(web.Files, Entries()...)
	if err != nil {
		t.Fatal(err)
	}
	size, files := 0, 0
	seen := map[string]bool{}
	var load func(name string)
	load = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		data, err := fs.ReadFile(site, name)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		size, files = size+out.Len(), files+1
		for _, m := range regexp.MustCompile(`(?:from|import)"\./([^"]+)"`).FindAllSubmatch(data, -1) {
			load(string(m[1]))
		}
	}
	load("mindflow.js")
	t.Logf("the widget: %d bytes gzipped, in %d files", size, files)
	if size > 40_000 {
		t.Errorf("the widget has %d bytes gzipped: 40000 are promised", size)
	}
}

func TestPagesFindTheirFiles(t *testing.T) {
	site, err := Pack(web.Files, Entries()...)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(site, "*.html")
	if err != nil || len(pages) < 2 {
		t.Fatalf("pages %v, %v", pages, err)
	}
	for _, page := range pages {
		text, err := fs.ReadFile(site, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="/([\w-]+\.\w+)"`).FindAllSubmatch(text, -1) {
			if _, err := fs.Stat(site, path.Clean(string(m[1]))); err != nil {
				t.Errorf("%s wants /%s: %v", page, m[1], err)
			}
		}
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, test := range []struct{ module, want string }{
		{"let x = ;", "join the page's modules: page:a.js:1: "},
		{"import './b.js';", "read the page's b.js"},
	} {
		_, err := Pack(fstest.MapFS{"a.js": {Data: []byte(test.module)}}, "a.js")
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(test.want)) {
			t.Errorf("%s: %v, want %s", test.module, err, test.want)
		}
	}
}
