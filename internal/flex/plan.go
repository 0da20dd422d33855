package flex

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ccaip-go/calls/internal/scalar"
)

// plan is how values of a type are decoded.
type plan struct {
	kind   reflect.Kind
	elem   *plan            // of a pointer or a slice
	empty  reflect.Value    // of a slice
	fields map[string]field // of a struct, by key
	others int              // of the fields have another spelling
	// slots are the types that the pointers in a value point to, the value's own
	// first. They are allocated together, as the fields of a storage.
	slots   []reflect.Type
	storage reflect.Type
}

type field struct {
	plan  *plan
	index int // in the struct
	slot  int // the first of its slots
	// gives is the bit that a value of the first of two spellings sets, and unless the
	// one that makes the second spelling count for nothing.
	gives, unless uint64
}

// plans is a cache, which the number of types in the program bounds.
var plans sync.Map // reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if known, isKnown := plans.Load(t); isKnown {
		return known.(*plan)
	}
	p := &plan{kind: t.Kind()}
	switch {
	case p.kind == reflect.Pointer:
		p.elem = planOf(t.Elem())
		p.slots = append([]reflect.Type{t.Elem()}, p.elem.slots...)
	case p.kind == reflect.Slice:
		p.elem, p.empty = planOf(t.Elem()), reflect.MakeSlice(t, 0, 0)
	case p.kind == reflect.Struct && t != reflect.TypeFor[time.Time]():
		p.fields = make(map[string]field)
		for i := range t.NumField() {
			p.add(i, t.Field(i))
		}
	}
	fields := make([]reflect.StructField, len(p.slots))
	for i, slot := range p.slots {
		fields[i] = reflect.StructField{Name: "F" + strconv.Itoa(i), Type: slot}
	}
	p.storage = reflect.StructOf(fields)
	plans.Store(t, p)
	return p
}

func (p *plan) add(index int, sf reflect.StructField) {
	key, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
	if !sf.IsExported() || key == "" || key == "-" {
		return
	}
	f := field{plan: planOf(sf.Type), index: index, slot: len(p.slots)}
	p.slots = append(p.slots, f.plan.slots...)
	if other := sf.Tag.Get("flex"); other != "" {
		bit := uint64(1) << p.others
		p.others++
		p.fields[other] = field{plan: f.plan, index: index, slot: f.slot, unless: bit}
		f.gives = bit
	}
	p.fields[key] = f
}

// set gives target the value that text has for its type, and reports whether it has one.
func (r *reader) set(target reflect.Value, text []byte) (ok bool) {
	switch target.Kind() {
	case reflect.String:
		target.SetString(r.copyOf(text))
		return true
	case reflect.Bool:
		b, err := strconv.ParseBool(string(bytes.TrimSpace(text)))
		if ok = err == nil; ok {
			target.SetBool(b)
		}
	case reflect.Int64:
		var n int64
		if n, ok = scalar.Int(string(text)); ok {
			target.SetInt(n)
		}
	case reflect.Struct:
		if to, isTime := target.Addr().Interface().(*time.Time); isTime {
			var t time.Time
			if t, ok = scalar.Time(string(text)); ok {
				*to = t
			}
		}
	}
	return ok
}
