package flex

import (
	"bytes"
	"reflect"
)

// DecodeArray calls yield with each object of the JSON array at the beginning of
// data, decoded as by Decode, and with the part of data that it was decoded from.
// It skips elements that are not objects, and returns how many elements there are.
// An object that is kept does not keep all of data in memory unless raw is kept too.
//
// The error is ErrNotArray, ErrTruncated, ErrMalformed or ErrTooLarge. The last
// three come after the objects that ended before the fault.
func DecodeArray[T any](data []byte, yield func(object *T, raw []byte)) (elements int, err error) {
	r := newReader(data)
	defer r.release()
	if r.PeekKind() != '[' {
		return 0, ErrNotArray
	}
	pointer := planOf(reflect.TypeFor[*T]())
	for err = r.token(); err == nil; {
		switch r.PeekKind() {
		case ']':
			return elements, r.fault(r.token())
		case '{':
			storage := r.allocate(pointer.storage, 0)
			if !storage.IsValid() {
				return elements, ErrTooLarge
			}
			begin := r.InputOffset()
			if err = r.object(pointer.elem, storage.Field(0), storage, 1); err == nil {
				raw := bytes.TrimLeft(r.data[begin:r.InputOffset():r.InputOffset()], ", \t\r\n")
				yield(storage.Field(0).Addr().Interface().(*T), raw)
			}
		default:
			err = r.SkipValue()
		}
		if err == nil {
			elements++
		}
	}
	return elements, r.fault(err)
}
