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
	kind     reflect.Kind
	elem     *plan // of a pointer or a slice
	elemSize int
	empty    reflect.Value  // of a slice
	fields   []field        // of a struct
	byKey    map[string]int // the positions in fields
	// storage is for what the pointers in a value point to: one allocation for all.
	// A struct's has the storage of each field, a pointer's the storage of what it
	// points to, and then that itself.
	storage reflect.Type
}

type field struct {
	key     string
	plan    *plan
	index   int    // in the struct
	next    int    // the position of the field after this one
	isOther bool   // key is the other spelling
	bit     uint64 // of a field that has another spelling
}

// find returns the field of key, which is likely to be at next, or nil.
func (p *plan) find(key []byte, next int) *field {
	if next < len(p.fields) && p.fields[next].key == string(key) {
		return &p.fields[next]
	}
	if i, isKnown := p.byKey[string(key)]; isKnown {
		return &p.fields[i]
	}
	return nil
}

// plans is a cache, which the number of types in the program bounds.
var plans sync.Map // reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if known, isKnown := plans.Load(t); isKnown {
		return known.(*plan)
	}
	p := &plan{kind: t.Kind(), storage: structOf()}
	switch {
	case p.kind == reflect.Pointer:
		p.elem = planOf(t.Elem())
		p.storage = structOf(p.elem.storage, t.Elem())
	case p.kind == reflect.Slice:
		p.elem, p.elemSize, p.empty = planOf(t.Elem()), int(t.Elem().Size()), reflect.MakeSlice(t, 0, 0)
	case p.kind == reflect.Struct && t != reflect.TypeFor[time.Time]():
		p.addFields(t)
	}
	plans.Store(t, p)
	return p
}

func (p *plan) addFields(t reflect.Type) {
	var others []field
	storages := make([]reflect.Type, t.NumField())
	for i := range storages {
		storages[i] = structOf()
		tag := t.Field(i).Tag
		key, _, _ := strings.Cut(tag.Get("json"), ",")
		if !t.Field(i).IsExported() || key == "" || key == "-" {
			continue
		}
		f := field{key: key, plan: planOf(t.Field(i).Type), index: i, next: len(p.fields) + 1}
		if other := tag.Get("flex"); other != "" {
			f.bit = 1 << len(others)
			others = append(others, field{other, f.plan, f.index, f.next, true, f.bit})
		}
		p.fields = append(p.fields, f)
		storages[i] = f.plan.storage
	}
	p.fields = append(p.fields, others...)
	p.byKey = make(map[string]int, len(p.fields))
	for i, f := range p.fields {
		p.byKey[f.key] = i
	}
	p.storage = structOf(storages...)
}

func structOf(types ...reflect.Type) reflect.Type {
	fields := make([]reflect.StructField, len(types))
	for i, t := range types {
		fields[i] = reflect.StructField{Name: "F" + strconv.Itoa(i), Type: t}
	}
	return reflect.StructOf(fields)
}

// set gives target the value of the last token and reports whether that has one.
func (r *reader) set(target reflect.Value) (ok bool) {
	text := r.text()
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
