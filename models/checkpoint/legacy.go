package checkpoint

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// legacyMagic is how torch.save began files before 1.6, and still does when asked to: the number
// 0x1950a86a20f9469cfc6c, pickled. The pickle's protocol stands before it and, from protocol 4 on, the length of its
// frame.
var legacyMagic = []byte("\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")

// legacyStart returns where the magic number of the older format ends, zero if a file that begins so is of another.
func legacyStart(begin []byte) int {
	for _, at := range []int{2, 11} { // without and with a frame
		if len(begin) > at && begin[0] == 0x80 && bytes.HasPrefix(begin[at:], legacyMagic) {
			return at + len(legacyMagic)
		}
	}
	return 0
}

// readLegacy reads that format from start on: after the magic, the protocol 1001, a dict about the machine, the
// content, the storages' keys, each a pickle; then the storages in the order of the keys, each a 64-bit count and the
// values.
func readLegacy(file io.ReaderAt, size int64, start int) (
	content any, open func(*storage) (io.ReadCloser, error), err error,
) {
	counted := &counter{r: io.NewSectionReader(file, 0, size)}
	r := bufio.NewReader(counted)
	if _, err := r.Discard(start); err != nil {
		return nil, nil, err
	}
	protocol, err := unpickle(r, nil)
	if err != nil {
		return nil, nil, err
	}
	if protocol != any(1001) {
		return nil, nil, errors.New("its protocol is another than 1001, the last before the zip archives")
	}
	machine, err := unpickle(r, nil)
	if err != nil {
		return nil, nil, err
	}
	if d, ok := machine.(*dict); !ok || d.get("little_endian") != true {
		return nil, nil, errors.New("its numbers are not in little endian byte order")
	}
	all := storages{}
	content, err = unpickle(r, all.find)
	if err != nil {
		return nil, nil, err
	}
	keys, err := unpickle(r, nil)
	if err != nil {
		return nil, nil, err
	}
	places, err := layOut(file, size, counted.n-int64(r.Buffered()), keys, all)
	open = func(s *storage) (io.ReadCloser, error) {
		at, ok := places[s.key]
		if !ok {
			return nil, fmt.Errorf("its storage %.40q is not in the file", s.key)
		}
		return io.NopCloser(io.NewSectionReader(file, at, int64(s.count)*int64(s.kind.size))), nil
	}
	return content, open, err
}

// layOut finds where the values of each storage begin; those of the first key's come at.
func layOut(file io.ReaderAt, size, at int64, keys any, all storages) (map[string]int64, error) {
	names, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("its list of storages is %s", describe(keys))
	}
	places := map[string]int64{}
	for _, n := range names.items {
		key, ok := n.(string)
		s := all[key]
		if !ok || s == nil {
			return nil, errors.New("its list names a storage that no tensor uses")
		}
		var count [8]byte
		if _, err := file.ReadAt(count[:], at); err != nil {
			return nil, cutOff(err)
		}
		if got := binary.LittleEndian.Uint64(count[:]); got != uint64(s.count) {
			return nil, fmt.Errorf("its storage %.40q has %d values, want %d", key, got, s.count)
		}
		if left := (size - at - 8) / int64(s.kind.size); int64(s.count) > left {
			return nil, cutOff(io.EOF)
		}
		places[key] = at + 8
		at += 8 + int64(s.count)*int64(s.kind.size)
	}
	return places, nil
}

// counter counts what was read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
