package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

type step func(*unpickler) error

// steps are the opcodes of protocols 0 to 5 by their byte; STOP ends the loop that runs them.
var steps = [256]step{
	0x80: skip(1), 0x95: skip(8), // PROTO, FRAME
	'(': func(u *unpickler) error { u.marks = append(u.marks, len(u.stack)); return u.count() },
	'0': func(u *unpickler) error { _, err := u.pop(); return err },
	'1': func(u *unpickler) error { _, err := u.popMark(); return err },
	'2': func(u *unpickler) error { return u.pushed(u.top()) },

	'N':  constant(nil),
	0x88: constant(true), 0x89: constant(false),
	'I': line(func(s string) (any, error) { return number(s) }),
	'L': line(func(s string) (any, error) { return number(strings.TrimSuffix(s, "L")) }),
	'F': line(func(s string) (any, error) { return number(s) }),
	'S': line(func(s string) (any, error) { return strings.Trim(s, `'"`), nil }),
	'V': line(func(s string) (any, error) { return s, nil }),
	'J': sized(4, func(b []byte) any { return int(int32(binary.LittleEndian.Uint32(b))) }),
	'K': sized(1, func(b []byte) any { return int(b[0]) }),
	'M': sized(2, func(b []byte) any { return int(binary.LittleEndian.Uint16(b)) }),
	'G': sized(8, func(b []byte) any { return math.Float64frombits(binary.BigEndian.Uint64(b)) }),

	0x8a: counted(1, long), 0x8b: counted(4, long),
	'T': counted(4, str), 'U': counted(1, str), 'X': counted(4, str), 0x8c: counted(1, str), 0x8d: counted(8, str),
	'B': counted(4, raw), 'C': counted(1, raw), 0x8e: counted(8, raw), 0x96: counted(8, raw),

	')':  func(u *unpickler) error { return u.push(tuple(nil)) },
	0x85: tupled(1), 0x86: tupled(2), 0x87: tupled(3),
	't': marked(func(items []any) (any, error) { return tuple(items), nil }),
	']': func(u *unpickler) error { return u.push(&list{}) },
	'l': marked(func(items []any) (any, error) { return &list{items}, nil }),
	'}': func(u *unpickler) error { return u.push(&dict{}) },
	'd': marked(func(items []any) (any, error) { d := &dict{}; return d, d.set(items) }),
	// Sets are of no use here.
	0x8f: func(u *unpickler) error { return u.push(set{}) },
	0x91: marked(func([]any) (any, error) { return set{}, nil }),
	0x90: func(u *unpickler) error { _, err := u.popMark(); return err },

	'a': func(u *unpickler) error { return u.appendTo(u.popN(1)) },
	'e': func(u *unpickler) error { return u.appendTo(u.popMark()) },
	's': func(u *unpickler) error { return u.setIn(u.popN(2)) },
	'u': func(u *unpickler) error { return u.setIn(u.popMark()) },

	'p': lineIndex((*unpickler).put), 'q': index(1, (*unpickler).put), 'r': index(4, (*unpickler).put),
	0x94: func(u *unpickler) error { return u.put(uint64(len(u.memo))) },
	'g':  lineIndex((*unpickler).get), 'h': index(1, (*unpickler).get), 'j': index(4, (*unpickler).get),

	'c': (*unpickler).global, 0x93: (*unpickler).stackGlobal,
	'R': (*unpickler).reduce, 0x81: (*unpickler).newObject, 'b': (*unpickler).build,
	'Q': func(u *unpickler) error {
		id, err := u.pop()
		if err != nil {
			return err
		}
		if u.persist == nil {
			return errors.New("its pickle refers to a storage where there is none")
		}
		return u.pushed(u.persist(id))
	},
}

func (u *unpickler) pushed(v any, err error) error {
	if err != nil {
		return err
	}
	return u.push(v)
}

// count is push for what makes something but no value.
func (u *unpickler) count() error {
	if u.values++; u.values > maxValues {
		return fmt.Errorf("its pickle makes more than %d values", maxValues)
	}
	return nil
}

func skip(n uint64) step { return func(u *unpickler) error { _, err := u.bytes(n); return err } }

func constant(v any) step { return func(u *unpickler) error { return u.push(v) } }

func line(parse func(string) (any, error)) step {
	return func(u *unpickler) error {
		s, err := u.line()
		if err != nil {
			return err
		}
		return u.pushed(parse(s))
	}
}

func sized(n uint64, parse func([]byte) any) step {
	return func(u *unpickler) error {
		b, err := u.bytes(n)
		if err != nil {
			return err
		}
		return u.push(parse(b))
	}
}

// counted reads bytes after their number, which takes width bytes.
func counted(width uint64, parse func([]byte) any) step {
	return func(u *unpickler) error {
		n, err := u.uint(width)
		if err != nil {
			return err
		}
		return sized(n, parse)(u)
	}
}

func str(b []byte) any { return string(b) }

func raw(b []byte) any { return b }

func tupled(n int) step {
	return func(u *unpickler) error {
		items, err := u.popN(n)
		if err != nil {
			return err
		}
		return u.push(tuple(items))
	}
}

func marked(parse func([]any) (any, error)) step {
	return func(u *unpickler) error {
		items, err := u.popMark()
		if err != nil {
			return err
		}
		return u.pushed(parse(items))
	}
}

func index(width uint64, do func(*unpickler, uint64) error) step {
	return func(u *unpickler) error {
		i, err := u.uint(width)
		if err != nil {
			return err
		}
		return do(u, i)
	}
}

func lineIndex(do func(*unpickler, uint64) error) step {
	return func(u *unpickler) error {
		s, err := u.line()
		if err != nil {
			return err
		}
		v, err := number(s)
		if err != nil {
			return err
		}
		i, ok := v.(int)
		if !ok || i < 0 {
			return fmt.Errorf("its pickle has no place %.40q", s)
		}
		return do(u, uint64(i))
	}
}

func (u *unpickler) put(i uint64) error {
	v, err := u.top()
	if err != nil {
		return err
	}
	u.memo[i] = v
	return u.count()
}

func (u *unpickler) get(i uint64) error {
	v, ok := u.memo[i]
	if !ok {
		return fmt.Errorf("its pickle takes value %d, which it never kept", i)
	}
	return u.push(v)
}

func (u *unpickler) appendTo(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *list:
		v.items = append(v.items, items...)
	case opaque: // of a class derived from list
	default:
		return fmt.Errorf("its pickle appends to %s", describe(v))
	}
	return nil
}

func (u *unpickler) setIn(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *dict:
		return v.set(items)
	case opaque: // of a class derived from dict
		return nil
	}
	return fmt.Errorf("its pickle sets items of %s", describe(v))
}

func (d *dict) set(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("its pickle sets a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.entries = append(d.entries, entry{items[i], items[i+1]})
	}
	return nil
}
