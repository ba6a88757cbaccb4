package fetch

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

const (
	maxArchive  = 256 << 20 // bytes of an archive
	maxUnpacked = 1 << 30   // bytes that are unpacked to find a member
)

// member calls use with the named file of a gzip-ed tar archive.
func member(archive io.Reader, name string, use func(io.Reader) error) error {
	unpacked, err := gzip.NewReader(archive)
	if err != nil {
		return fmt.Errorf("%w: no gzip-ed archive (%v)", errAnother, err)
	}
	bounded := &io.LimitedReader{R: unpacked, N: maxUnpacked}
	files := tar.NewReader(bounded)
	for {
		header, err := files.Next()
		switch {
		case bounded.N <= 0:
			return fmt.Errorf("%w: the archive unpacks to over %d MB", errAnother, maxUnpacked>>20)
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: the archive has no %s", errAnother, name)
		case err != nil:
			return fmt.Errorf("%w: the archive is damaged (%v)", errAnother, err)
		case header.Name == name && header.Typeflag == tar.TypeReg:
			return use(damageReader{files})
		}
	}
}

// damageReader marks a read error of an archive as that of a wrong file, so that the download is repeated.
type damageReader struct{ r io.Reader }

func (d damageReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: the archive is damaged (%v)", errAnother, err)
	}
	return n, err
}
