package web

import (
	"bytes"
	"compress/gzip"
	"path"
	"regexp"
	"testing"
	"testing/fstest"
)

// TestWidgetIsSmall bounds what another site's page loads for the widget: the file and the parts that it needs at once.
func TestWidgetIsSmall(t *testing.T) {
	site, err := Site()
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
		data, ok := site[name]
		if !ok {
			t.Fatalf("there is no %s", name)
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
	site, err := Site()
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for page, text := range site {
		if path.Ext(page) != ".html" {
			continue
		}
		pages++
		files := 0
		for _, m := range regexp.MustCompile(`(?:src|href)="(?:\.\./)?([\w-]+\.\w+)"`).FindAllSubmatch(text, -1) {
			files++
			if _, ok := site[string(m[1])]; !ok {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
		if files == 0 {
			t.Errorf("%s names no file", page)
		}
		// A proxy may serve the pages under a path prefix.
		if m := regexp.MustCompile(`(?:src|href)="/[^"]*"`).Find(text); m != nil {
			t.Errorf("%s has an absolute path: %s", page, m)
		}
	}
	if pages < 2 {
		t.Errorf("%d pages", pages)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, test := range []struct{ module, want string }{
		{"let x = ;", "web:a.js:1: "},
		{"import './b.js';", "b.js: file does not exist"},
	} {
		_, err := bundle(fstest.MapFS{"a.js": {Data: []byte(test.module)}}, []string{"a.js"})
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(test.want)) {
			t.Errorf("%s: %v, want %s", test.module, err, test.want)
		}
	}
}
