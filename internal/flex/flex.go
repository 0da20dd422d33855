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
	if r.PeekKind() != '{' {
		return ErrNotObject
	}
	p := planOf(target.Type())
	return r.fault(r.object(p, target, r.allocate(p.storage, 0), 0))
}

// object reads an object into target. What its pointers point to is in storage, from
// the field slot on.
func (r *reader) object(p *plan, target, storage reflect.Value, slot int) error {
	if err := r.token(); err != nil {
		return err
	}
	var given uint64 // what the fields read so far give
	for r.PeekKind() == '"' {
		key, err := r.text()
		if err != nil {
			return err
		}
		f, isKnown := p.fields[string(key)]
		if !isKnown || given&f.unless != 0 {
			if err := r.SkipValue(); err != nil {
				return err
			}
			continue
		}
		isRead, err := r.value(f.plan, target.Field(f.index), storage, slot+f.slot)
		if err != nil {
			target.Field(f.index).SetZero() // the value did not end
			return err
		}
		if isRead {
			given |= f.gives
		}
	}
	return r.token()
}

// value reads a value into target, and reports whether target can have it.
func (r *reader) value(p *plan, target, storage reflect.Value, slot int) (isRead bool, err error) {
	switch kind := r.PeekKind(); {
	case kind == 'n':
		return false, r.SkipValue()
	case p.kind == reflect.Pointer:
		pointee := storage.Field(slot)
		if isRead, err = r.value(p.elem, pointee, storage, slot+1); isRead {
			target.Set(pointee.Addr())
		}
		return isRead, err
	case kind == '{' && p.fields != nil:
		target.SetZero()
		return true, r.object(p, target, storage, slot)
	case kind == '[' && p.kind == reflect.Slice:
		return r.list(p, target)
	case kind == '{' || kind == '[':
		return false, r.SkipValue()
	}
	text, err := r.text()
	return err == nil && r.set(target, text), err
}

// list reads an array into target. It keeps the place of an element that cannot be
// read, with its zero value.
func (r *reader) list(p *plan, target reflect.Value) (isRead bool, err error) {
	target.Set(p.empty)
	for err = r.token(); err == nil; {
		if r.PeekKind() == ']' {
			return !target.IsNil(), r.token()
		}
		// A slice that grows is copied several times.
		storage := r.allocate(p.elem.storage, 4*int(target.Type().Elem().Size()))
		if !storage.IsValid() {
			target.SetZero()
			err = r.SkipValue()
			continue
		}
		n := target.Len()
		if n == target.Cap() {
			target.Grow(2)
		}
		target.SetLen(n + 1)
		_, err = r.value(p.elem, target.Index(n), storage, 0)
	}
	return false, err
}
