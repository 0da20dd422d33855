package flex

import "reflect"

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
	if kind, err := r.next(); err != nil || kind != '[' {
		return 0, ErrNotArray
	}
	pointer := planOf(reflect.TypeFor[*T]())
	for ; ; elements++ {
		kind, err := r.next()
		if err != nil || kind == ']' {
			return elements, r.fault(err)
		}
		if kind != '{' {
			if err := r.skip(kind); err != nil {
				return elements, r.fault(err)
			}
			continue
		}
		cell := r.allocate(pointer.storage)
		if !cell.IsValid() {
			return elements, ErrTooLarge
		}
		begin := r.begin
		if err := r.object(pointer.elem, cell.Field(1), cell.Field(0)); err != nil {
			return elements, r.fault(err)
		}
		yield(cell.Field(1).Addr().Interface().(*T), r.data[begin:r.end:r.end])
	}
}
