// Package flex decodes JSON whose values do not keep to their documented types:
// a number in quotes, a boolean as "false", null anywhere, a key in two
// spellings, a value of another kind altogether. No value can spoil another, and
// what ended before a fault is kept. No error quotes the data. Everything is safe
// for concurrent use.
package flex

import (
	"errors"
	"reflect"
)

var (
	// ErrNotObject means that the data does not begin with a JSON object.
	ErrNotObject = errors.New("not a JSON object")
	// ErrNotArray means that the data does not begin with a JSON array.
	ErrNotArray = errors.New("not a JSON array")
	// ErrTruncated means that the data ends too early.
	ErrTruncated = errors.New("truncated JSON")
	// ErrMalformed means that the data is not JSON, or deeper than 10,000 levels.
	ErrMalformed = errors.New("malformed JSON")
	// ErrTooLarge means that an array would take several times its size in memory.
	ErrTooLarge = errors.New("JSON array of too many small objects")
)

// Decode sets dst, a pointer to a struct, to the JSON object at the beginning of
// data. A byte order mark before it and anything after it are ignored.
//
// A field is decoded if its `json` tag names a key, which must match exactly. A
// `flex` tag names another spelling, used only where the first gives no value. A
// field without a readable value is zero. Of several values the last one counts,
// whole: objects are not merged. A list that would take several times the memory
// of data is not readable. The type must not be recursive.
//
// The error is ErrNotObject, ErrTruncated or ErrMalformed. With the latter two,
// dst has what ended before the fault: no part of an object or list that did not
// end, and no number that may have been cut.
func Decode(data []byte, dst any) error {
	target := reflect.ValueOf(dst).Elem()
	target.SetZero()
	r := newReader(data)
	defer r.release()
	if kind, err := r.next(); err != nil || kind != '{' {
		return ErrNotObject
	}
	p := planOf(target.Type())
	return r.fault(r.object(p, target, r.allocate(p.storage)))
}

// object reads what follows a '{' into target.
func (r *reader) object(p *plan, target, storage reflect.Value) error {
	var given uint64 // the bits of the fields whose first spelling had a value
	for next := 0; ; {
		kind, err := r.next()
		if err != nil || kind == '}' {
			return err
		}
		f := p.find(r.text(), next)
		if kind, err = r.next(); err != nil {
			return err
		}
		if f != nil {
			next = f.next
		}
		if f == nil || kind == 'n' || f.isOther && given&f.bit != 0 {
			if err := r.skip(kind); err != nil {
				return err
			}
			continue
		}
		isRead, err := r.value(kind, f.plan, target.Field(f.index), storage.Field(f.index))
		if err != nil {
			target.Field(f.index).SetZero() // the value did not end
			return err
		}
		if isRead && !f.isOther {
			given |= f.bit
		}
	}
}

// value reads what begins with a token of kind into target, and reports whether
// target can have it.
func (r *reader) value(kind byte, p *plan, target, storage reflect.Value) (isRead bool, err error) {
	switch {
	case kind == 'n':
		return false, nil
	case p.kind == reflect.Pointer:
		pointee := storage.Field(1)
		if isRead, err = r.value(kind, p.elem, pointee, storage.Field(0)); isRead {
			target.Set(pointee.Addr())
		}
		return isRead, err
	case kind == '{' && p.fields != nil:
		target.SetZero()
		return true, r.object(p, target, storage)
	case kind == '[' && p.elem != nil:
		return r.list(p, target)
	case kind == '{' || kind == '[':
		return false, r.skip(kind)
	}
	return r.set(target), nil
}

// list reads what follows a '[' into target. It keeps the place of an element
// that cannot be read, with its zero value.
func (r *reader) list(p *plan, target reflect.Value) (isRead bool, err error) {
	target.Set(p.empty)
	for n := 0; ; n++ {
		kind, err := r.next()
		if err != nil || kind == ']' {
			return !target.IsNil(), err
		}
		if n == target.Cap() && r.spend(2*max(1, n)*p.elemSize) {
			target.Grow(max(2, n))
		}
		if storage := r.allocate(p.elem.storage); storage.IsValid() {
			target.SetLen(n + 1)
			_, err = r.value(kind, p.elem, target.Index(n), storage)
		} else {
			target.SetZero()
			err = r.skip(kind)
		}
		if err != nil {
			return false, err
		}
	}
}
