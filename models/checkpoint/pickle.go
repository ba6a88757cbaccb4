package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// A pickle is a program for a stack machine (Python's Lib/pickletools.py). This one computes containers,
// numbers, strings and tensors' descriptions, nothing else: no name in the file is ever run.

// The bounds of a pickle. A training script's, with the state of its optimizer, has some ten thousand
// values in a few hundred kilobytes.
const (
	maxPickle = 16 << 20 // bytes
	maxValues = 1 << 19  // values made, containers and their copies included
)

type (
	list   struct{ items []any }
	tuple  []any
	set    struct{}
	entry  struct{ key, value any }
	dict   struct{ entries []entry } // of set items, in their order; a later key wins
	name   struct{ module, name string }
	opaque struct { // an object that is of no use here
		class  name
		called bool // it is what a function that is not known gives, of that name
	}
	bigInt []byte // beyond 64 bits, little endian two's complement
)

func (n name) String() string { return n.module + "." + n.name }

// unpickler is the machine. It reads no byte beyond the pickle's end.
type unpickler struct {
	r       *bufio.Reader
	left    int // bytes
	values  int // made so far
	stack   []any
	marks   []int // heights of the stack
	memo    map[uint64]any
	persist func(id any) (any, error) // what a persistent id stands for
}

// unpickle reads one pickle from r. persist may be nil where there should be no persistent ids.
func unpickle(r *bufio.Reader, persist func(id any) (any, error)) (any, error) {
	u := &unpickler{r: r, left: maxPickle, memo: map[uint64]any{}, persist: persist}
	for {
		op, err := u.byte()
		if err != nil {
			return nil, err
		}
		if op == '.' {
			return u.pop()
		}
		step := steps[op]
		if step == nil {
			return nil, fmt.Errorf("unknown pickle opcode %#02x", op)
		}
		if err := step(u); err != nil {
			return nil, err
		}
	}
}

var errLong = fmt.Errorf("its pickle is longer than %d bytes", maxPickle)

func (u *unpickler) byte() (byte, error) {
	if u.left == 0 {
		return 0, errLong
	}
	u.left--
	b, err := u.r.ReadByte()
	return b, truncated(err)
}

// bytes reads n bytes. The claim of a length costs no memory before the bytes are there.
func (u *unpickler) bytes(n uint64) ([]byte, error) {
	if n > uint64(u.left) {
		return nil, errLong
	}
	u.left -= int(n)
	if n <= 4096 {
		b := make([]byte, n)
		_, err := io.ReadFull(u.r, b)
		return b, truncated(err)
	}
	b, err := io.ReadAll(io.LimitReader(u.r, int64(n)))
	if err == nil && uint64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, truncated(err)
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("its pickle ends too early: the file is cut off or no checkpoint")
	}
	return err
}

// uint reads a little endian number of n bytes, 8 at most.
func (u *unpickler) uint(n uint64) (uint64, error) {
	b, err := u.bytes(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// line reads up to a newline, which it drops.
func (u *unpickler) line() (string, error) {
	var text []byte
	for {
		b, err := u.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return string(text), nil
		}
		text = append(text, b)
	}
}

func (u *unpickler) push(v any) error {
	if u.values++; u.values > maxValues {
		return fmt.Errorf("its pickle makes more than %d values", maxValues)
	}
	u.stack = append(u.stack, v)
	return nil
}

// floor is the height of the stack that may not be popped: that of the last mark.
func (u *unpickler) floor() int {
	if len(u.marks) == 0 {
		return 0
	}
	return u.marks[len(u.marks)-1]
}

var errStack = errors.New("its pickle takes from an empty stack")

func (u *unpickler) top() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, errStack
	}
	return u.stack[len(u.stack)-1], nil
}

func (u *unpickler) pop() (any, error) {
	v, err := u.top()
	if err == nil {
		u.stack = u.stack[:len(u.stack)-1]
	}
	return v, err
}

// popN takes the top n values, the deepest first.
func (u *unpickler) popN(n int) ([]any, error) {
	at := len(u.stack) - n
	if at < u.floor() {
		return nil, errStack
	}
	values := append([]any(nil), u.stack[at:]...)
	u.stack = u.stack[:at]
	u.values += n
	return values, nil
}

// popMark takes what stands above the last mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errors.New("its pickle lacks a mark")
	}
	n := len(u.stack) - u.floor()
	values, err := u.popN(n)
	u.marks = u.marks[:len(u.marks)-1]
	return values, err
}

// number gives a number that is written out.
func number(text string) (any, error) {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return int(v), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("its pickle has the number %.40q", text)
	}
	return v, nil
}

// long gives a little endian two's complement number of any length.
func long(b []byte) any {
	if len(b) > 8 {
		return bigInt(b)
	}
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if n := len(b); n > 0 && b[n-1]&0x80 != 0 && n < 8 {
		v |= math.MaxUint64 << (8 * n)
	}
	return int(int64(v))
}
