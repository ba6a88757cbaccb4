package checkpoint

import (
	"errors"
	"fmt"
)

// rebuilt is what a call stands for; args are checked by it.
type rebuild func(args tuple) (any, error)

// calls are the functions that a pickle may name in a call, and what is computed instead. A call of
// another gives an opaque value: a scheduler's state calls what it likes, and none of it is run. Where
// weights ought to be such a value is refused.
var calls = map[string]rebuild{
	"collections.OrderedDict":             emptyDict,
	"collections.defaultdict":             emptyDict,
	"collections.Counter":                 ignored,
	"builtins.dict":                       emptyDict,
	"torch._utils._rebuild_tensor":        rebuildTensor,
	"torch._utils._rebuild_tensor_v2":     rebuildTensor,
	"torch._utils._rebuild_parameter":     first,
	"torch.nn.parameter.Parameter":        first,
	"torch.Size":                          first,
	"torch.device":                        ignored,
	"builtins.set":                        ignored,
	"__builtin__.set":                     ignored,
	"builtins.bytearray":                  ignored,
	"_codecs.encode":                      ignored,
	"copy_reg._reconstructor":             ignored,
	"copyreg._reconstructor":              ignored,
	"datetime.datetime":                   ignored,
	"numpy.dtype":                         ignored,
	"numpy.core.multiarray.scalar":        ignored,
	"numpy._core.multiarray.scalar":       ignored,
	"numpy.core.multiarray._reconstruct":  ignored,
	"numpy._core.multiarray._reconstruct": ignored,
	"pathlib.PosixPath":                   ignored,
	"pathlib.WindowsPath":                 ignored,
}

func emptyDict(tuple) (any, error) { return &dict{}, nil } // items follow one by one

func ignored(tuple) (any, error) { return nil, nil }

func first(args tuple) (any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	return args[0], nil
}

func (u *unpickler) global() error {
	module, err := u.line()
	if err != nil {
		return err
	}
	class, err := u.line()
	if err != nil {
		return err
	}
	return u.push(name{module, class})
}

func (u *unpickler) stackGlobal() error {
	parts, err := u.popN(2)
	if err != nil {
		return err
	}
	module, ok := parts[0].(string)
	class, ok2 := parts[1].(string)
	if !ok || !ok2 {
		return errors.New("its pickle has a name that is no string")
	}
	return u.push(name{module, class})
}

// reduce is a function call.
func (u *unpickler) reduce() error {
	parts, err := u.popN(2)
	if err != nil {
		return err
	}
	args, ok := parts[1].(tuple)
	if !ok {
		return fmt.Errorf("its pickle calls with %s instead of arguments", describe(parts[1]))
	}
	f, ok := parts[0].(name)
	if !ok {
		if method, ok := parts[0].(opaque); ok { // such as what getattr would give
			return u.push(opaque{method.class, true})
		}
		return fmt.Errorf("its pickle calls %s", describe(parts[0]))
	}
	call, ok := calls[f.String()]
	if !ok {
		return u.push(opaque{f, true})
	}
	v, err := call(args)
	if err != nil {
		return err
	}
	if v == nil {
		v = opaque{f, false}
	}
	return u.push(v)
}

// newObject makes an object without calling its class.
func (u *unpickler) newObject() error {
	parts, err := u.popN(2)
	if err != nil {
		return err
	}
	switch class := parts[0].(type) {
	case name:
		if class.String() == "collections.OrderedDict" {
			return u.push(&dict{})
		}
		return u.push(opaque{class, false})
	case opaque: // a class that a call would give
		return u.push(class)
	}
	return fmt.Errorf("its pickle makes an object of %s", describe(parts[0]))
}

// build would set an object's attributes: of the state dict, its _metadata. All are ignored.
func (u *unpickler) build() error {
	if _, err := u.popN(1); err != nil {
		return err
	}
	_, err := u.top()
	return err
}

// storage is a run of numbers in the file.
type storage struct {
	class string // torch's
	kind  kind
	key   string
	count int // of values
}

// storages are those of a file by their keys.
type storages map[string]*storage

// find is the storage that a persistent id describes: the same one for each tensor that is a view of it.
func (all storages) find(id any) (any, error) {
	s, err := newStorage(id)
	if err != nil {
		return nil, err
	}
	known := all[s.key]
	switch {
	case known == nil:
		all[s.key] = s
		return s, nil
	case known.class != s.class || known.count != s.count:
		return nil, fmt.Errorf("its pickle describes the storage %.40q in two ways", s.key)
	}
	return known, nil
}

// view is a tensor: numbers of a storage, picked by strides.
type view struct {
	storage        *storage
	offset         int
	shape, strides []int
}

// rebuildTensor is torch._utils._rebuild_tensor(_v2): storage, offset, size, strides and more.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("its pickle has a tensor with too few arguments")
	}
	s, isStorage := args[0].(*storage)
	offset, isInt := args[1].(int)
	shape, ok := integers(args[2])
	strides, ok2 := integers(args[3])
	if !isStorage || !isInt || !ok || !ok2 {
		return nil, errors.New("its pickle has a tensor with arguments of other types")
	}
	return &view{s, offset, shape, strides}, nil
}

// integers gives the values of a tuple of integers.
func integers(v any) ([]int, bool) {
	items, ok := v.(tuple)
	const most = 16 // axes
	if !ok || len(items) > most {
		return nil, false
	}
	values := make([]int, len(items))
	for i, item := range items {
		if values[i], ok = item.(int); !ok {
			return nil, false
		}
	}
	return values, true
}

// newStorage reads a persistent id: "storage", its class, key, place and number of values; in the old
// format a view of it too, which torch.save has not written since 0.4.
func newStorage(id any) (*storage, error) {
	parts, ok := id.(tuple)
	if !ok || len(parts) < 5 || parts[0] != "storage" || len(parts) > 5 && parts[5] != nil {
		return nil, errors.New("its pickle refers to something that is no storage")
	}
	class, ok := parts[1].(name)
	key, ok2 := parts[2].(string)
	count, ok3 := parts[4].(int)
	if !ok || !ok2 || !ok3 || count < 0 {
		return nil, errors.New("its pickle describes a storage by other types")
	}
	k, ok := kinds[class.String()]
	if !ok {
		return nil, fmt.Errorf("its pickle has a storage of the unknown kind %.80q", class)
	}
	return &storage{class.String(), k, key, count}, nil
}

// describe names what a value is, not what it holds.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *dict:
		return "a dict"
	case *list:
		return "a list"
	case tuple:
		return "a tuple"
	case *view:
		return "a tensor"
	case *storage:
		return "a storage"
	case name:
		return fmt.Sprintf("the name %.80q", v)
	case opaque:
		if v.called {
			return fmt.Sprintf("what a call of %.80q gives, which was not run", v.class)
		}
		return fmt.Sprintf("an object of class %.80q", v.class)
	case string:
		return "a string"
	}
	return "a value that is no tensor"
}
