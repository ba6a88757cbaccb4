package checkpoint

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"
)

// maxDirectory bounds what the directory of an archive may take, in bytes; in memory it takes a few
// times as much. A checkpoint with the state of its optimizer needs some 100 kB.
const maxDirectory = 8 << 20

// readZip reads the archive that torch.save has written since 1.6: a pickle PREFIX/data.pkl, and each
// storage in a member PREFIX/data/KEY, stored as it is. Compressed members are read as well.
func readZip(file io.ReaderAt, size int64) (content any, open func(*storage) (io.ReadCloser, error), err error) {
	limited := &budget{file, maxDirectory}
	archive, err := zip.NewReader(limited, size)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("its zip archive has no directory at its end: the file is cut off")
		}
		return nil, nil, err
	}
	limited.left = math.MaxInt64
	members := map[string]*zip.File{}
	prefix, found := "", 0
	for _, m := range archive.File {
		members[m.Name] = m
		if before, ok := strings.CutSuffix(m.Name, "data.pkl"); ok &&
			(before == "" || strings.Count(before, "/") == 1 && strings.HasSuffix(before, "/")) {
			prefix = before
			found++
		}
	}
	switch {
	case found == 0 && inner(archive) != "":
		return nil, nil, fmt.Errorf("a zip archive around %.80q; unpack it, and import that", inner(archive))
	case found != 1:
		return nil, nil, fmt.Errorf("a zip archive with %d files data.pkl, a checkpoint has one; not a file that "+
			"torch.save wrote", found)
	case members[prefix+"constants.pkl"] != nil:
		return nil, nil, errors.New("a TorchScript archive, not weights; save them alone: " +
			"torch.save(model.state_dict(), FILE)")
	case members[prefix+"byteorder"] != nil:
		if order, err := readAll(members[prefix+"byteorder"], 16); err != nil || order != "little" {
			return nil, nil, fmt.Errorf("its numbers are in %.16q byte order, want little", order)
		}
	}
	pickle, err := members[prefix+"data.pkl"].Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open data.pkl: %w", err)
	}
	defer pickle.Close()
	content, err = unpickle(bufio.NewReader(pickle), storages{}.find)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(pickle, maxPickle)) // its sum is checked at its end
	}
	open = func(s *storage) (io.ReadCloser, error) {
		m := members[prefix+"data/"+s.key]
		if m == nil {
			return nil, fmt.Errorf("its storage %.40q is not in the archive", s.key)
		}
		if want := uint64(s.count) * uint64(s.kind.size); m.UncompressedSize64 != want {
			return nil, fmt.Errorf("its storage %.40q has %d bytes, want %d", s.key, m.UncompressedSize64, want)
		}
		return m.Open()
	}
	return content, open, err
}

// inner returns the name of a checkpoint that an archive holds as a file, as browsers and mail programs pack them.
func inner(archive *zip.Reader) string {
	for _, m := range archive.File {
		switch strings.ToLower(path.Ext(m.Name)) {
		case ".pth", ".pt", ".ckpt", ".safetensors":
			return m.Name
		}
	}
	return ""
}

func readAll(m *zip.File, most int64) (string, error) {
	r, err := m.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, most))
	return string(text), err
}

// budget lets a number of bytes be read.
type budget struct {
	r    io.ReaderAt
	left int64
}

func (b *budget) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, fmt.Errorf("its zip directory is longer than %d bytes", maxDirectory)
	}
	return b.r.ReadAt(p, at)
}
