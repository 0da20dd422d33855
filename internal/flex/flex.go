// Package flex decodes JSON objects whose fields do not keep to their
// documented types: a number in quotes, a flag as "false", null anywhere, a key
// in two spellings, a value of another kind altogether. No field can spoil
// another, and only something that is no JSON object is an error.
package flex

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrNotObject: the data does not begin with a JSON object.
var ErrNotObject = errors.New("not a JSON object")

// Decode fills dst, a pointer to a struct, from the JSON object in data. What
// it held before is forgotten. A field whose value cannot be read keeps its
// zero value. Next to its `json` tag a field may name another spelling of its
// key in a `flex` tag; the first spelling wins when both are there.
func Decode(data []byte, dst any) error {
	target := reflect.ValueOf(dst).Elem()
	target.SetZero()
	// Nearly every answer keeps to the documented types, and encoding/json is
	// several times faster than forgiving. But it knows one spelling of a key, and
	// takes a key in another case for the same.
	if startsObject(data) && hasPlainKeys(data, shapeOf(target.Type()).otherSpellings) {
		if json.Unmarshal(data, dst) == nil {
			return nil
		}
		target.SetZero()
	}
	return decodeObject(data, target)
}

func startsObject(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// hasPlainKeys reports whether every key in data is of lower-case ASCII and none
// is one of others. A string that looks like an odd key counts as one.
func hasPlainKeys(data []byte, others []string) bool {
	for i := 0; ; i++ {
		colon := bytes.IndexByte(data[i:], ':')
		if colon < 0 {
			return true
		}
		i += colon
		if key, isKey := lastString(data[:i]); isKey && (!isPlain(key) || isOneOf(key, others)) {
			return false
		}
	}
}

// lastString returns what stands in quotes at the end of data. Of a string with
// an escaped quote in it that is the part behind.
func lastString(data []byte) (text []byte, ok bool) {
	end := len(data) - 1
	for end >= 0 && (data[end] == ' ' || data[end] == '\n' || data[end] == '\t' || data[end] == '\r') {
		end--
	}
	if end < 0 || data[end] != '"' {
		return nil, false
	}
	begin := end - 1
	for begin >= 0 && data[begin] != '"' {
		begin--
	}
	return data[begin+1 : end], true
}

func isPlain(key []byte) bool {
	for _, b := range key {
		if b >= 'A' && b <= 'Z' || b == '\\' || b > '~' {
			return false
		}
	}
	return true
}

func isOneOf(key []byte, names []string) bool {
	for _, name := range names {
		if string(key) == name {
			return true
		}
	}
	return false
}

// decodeObject reads the first JSON value of data, so that a byte order mark
// before it or a stray byte after it loses nothing.
func decodeObject(data []byte, target reflect.Value) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !startsObject(data) {
		return ErrNotObject
	}
	var object map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&object); err != nil {
		return err
	}
	for _, f := range shapeOf(target.Type()).fields {
		raw, found := object[f.key]
		if f.otherKey != "" && (!found || isNull(raw)) {
			raw = object[f.otherKey]
		}
		set(target.Field(f.index), raw)
	}
	return nil
}

var timeType = reflect.TypeFor[time.Time]()

// set gives field the value of raw and reports whether raw had one to give.
func set(field reflect.Value, raw json.RawMessage) bool {
	if len(raw) == 0 || isNull(raw) {
		return false
	}
	switch {
	case field.Kind() == reflect.Pointer:
		return setPointer(field, raw)
	case field.Type() == timeType:
		return setTime(field, raw)
	case field.Kind() == reflect.Struct:
		return decodeObject(raw, field) == nil
	case field.Kind() == reflect.Slice:
		return setSlice(field, raw)
	}
	text, isScalar := scalar(raw)
	return isScalar && setScalar(field, text)
}

// setPointer leaves the pointer nil when there is no value for it.
func setPointer(field reflect.Value, raw json.RawMessage) bool {
	value := reflect.New(field.Type().Elem())
	if !set(value.Elem(), raw) {
		return false
	}
	field.Set(value)
	return true
}

// setSlice keeps the place of an element that cannot be read, with its zero
// value, as encoding/json does for null.
func setSlice(field reflect.Value, raw json.RawMessage) bool {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return false
	}
	list := reflect.MakeSlice(field.Type(), len(elements), len(elements))
	for i, raw := range elements {
		set(list.Index(i), raw)
	}
	field.Set(list)
	return true
}

func setTime(field reflect.Value, raw json.RawMessage) bool {
	text, _ := scalar(raw)
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	if err != nil {
		return false
	}
	field.Set(reflect.ValueOf(t))
	return true
}

func setScalar(field reflect.Value, text string) (ok bool) {
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
		return true
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.TrimSpace(text))
		field.SetBool(b)
		return err == nil
	case reflect.Int64:
		n, ok := integer(strings.TrimSpace(text))
		field.SetInt(n)
		return ok
	}
	return false
}

// scalar returns the text of a string, a number or a flag.
func scalar(raw json.RawMessage) (text string, isScalar bool) {
	switch raw[0] {
	case '{', '[':
		return "", false
	case '"':
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	}
	return string(raw), true
}

// integer reads a whole number, also one that is written as 397.0 or 4e2.
// Above 2^53 only plain digits are exact, so nothing else is taken there.
func integer(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	if strings.Trim(text, "+-.0123456789Ee") != "" { // ParseFloat knows more than JSON
		return 0, false
	}
	const exact = 1 << 53
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int64(f)) || f > exact || f < -exact {
		return 0, false
	}
	return int64(f), true
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// shape is what Decode needs to know of a struct type.
type shape struct {
	fields         []field
	otherSpellings []string // of this type and of all below it
}

type field struct {
	index    int
	key      string
	otherKey string
}

var shapes sync.Map // reflect.Type to shape; a cache, filled on first use

func shapeOf(t reflect.Type) shape {
	if known, ok := shapes.Load(t); ok {
		return known.(shape)
	}
	var s shape
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || key == "" || key == "-" {
			continue
		}
		other := f.Tag.Get("flex")
		s.fields = append(s.fields, field{index: i, key: key, otherKey: other})
		if other != "" {
			s.otherSpellings = append(s.otherSpellings, other)
		}
		if below := elementType(f.Type); below.Kind() == reflect.Struct {
			s.otherSpellings = append(s.otherSpellings, shapeOf(below).otherSpellings...)
		}
	}
	shapes.Store(t, s)
	return s
}

func elementType(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}
