package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// part is the part of one storage that is read: the values low to high-1, for the named tensors.
type part struct {
	storage   *storage
	low, high int
	names     []string
}

// Read reads the values of all tensors. It reads each storage once, even if several tensors share it. Check Shapes
// first: they tell how many values there are. Read stops if ctx ends.
func (f *File) Read(ctx context.Context) (map[string]Tensor, error) {
	parts, err := f.plan()
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", f.path, err)
	}
	tensors := map[string]Tensor{}
	for _, p := range parts {
		if err := f.fill(ctx, tensors, p); err != nil {
			return nil, fmt.Errorf("read checkpoint %s: tensor %.80q: %w", f.path, p.names[0], err)
		}
	}
	return tensors, nil
}

// plan lists what to read of each storage. It returns an error, before anything is read, if that is too much.
func (f *File) plan() ([]*part, error) {
	parts := map[*storage]*part{}
	values, bytes := 0, 0
	for _, name := range slices.Sorted(maps.Keys(f.views)) {
		v := f.views[name]
		count, span, err := v.extent()
		if err != nil {
			return nil, fmt.Errorf("tensor %.80q: %w", name, err)
		}
		p := parts[v.storage]
		if p == nil {
			p = &part{storage: v.storage, low: v.offset}
			parts[v.storage] = p
			bytes += v.storage.count * v.storage.kind.size
		}
		p.low, p.high = min(p.low, v.offset), max(p.high, v.offset+span)
		p.names = append(p.names, name)
		values += count
		switch {
		case values > maxRead:
			return nil, fmt.Errorf("tensor %.80q: with those before it beyond %d values", name, maxRead)
		case bytes > maxBytes:
			return nil, fmt.Errorf("tensor %.80q: its storage and those before it have over %d bytes", name, maxBytes)
		case p.high-p.low > maxSpan:
			return nil, fmt.Errorf("tensor %.80q: spread with others over more than %d values of one storage", name,
				maxSpan)
		}
	}
	return slices.SortedFunc(maps.Values(parts),
		func(a, b *part) int { return cmp.Compare(a.names[0], b.names[0]) }), nil
}

// fill reads the values of one storage and extracts its tensors. It reads to the end, because the checksum is verified
// there.
func (f *File) fill(ctx context.Context, tensors map[string]Tensor, p *part) (err error) {
	opened, err := f.open(p.storage)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	r := lasting{ctx, opened}
	size := p.storage.kind.size
	if _, err := io.CopyN(io.Discard, r, int64(p.low*size)); err != nil {
		return cutOff(err)
	}
	raw := make([]byte, (p.high-p.low)*size)
	if _, err := io.ReadFull(r, raw); err != nil {
		return cutOff(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return cutOff(err)
	}
	for _, name := range p.names {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v := f.views[name]
		count, _, err := v.extent()
		if err != nil {
			return err
		}
		tensors[name] = Tensor{v.shape, v.gather(raw[(v.offset-p.low)*size:], count)}
	}
	return nil
}

// lasting is a reader that returns an error once ctx has ended.
type lasting struct {
	ctx context.Context
	r   io.Reader
}

func (l lasting) Read(p []byte) (int, error) {
	if l.ctx.Err() != nil {
		return 0, context.Cause(l.ctx)
	}
	return l.r.Read(p)
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("its values end too early: the file is cut off")
	}
	return err
}
