package events

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object whose keys are found in any spelling. It has no nulls.
// Its methods take names as they are documented, and of several the first that
// the object has. They return the zero value for what cannot be read.
type object map[string]json.RawMessage // by plainKey

func readObject(data []byte) (o object, ok bool) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil || values == nil {
		return nil, false
	}
	o = make(object, len(values))
	// Where a key is there twice, lower case comes first this way: the documented
	// spelling wins.
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(values))) {
		o.add(plainKey(key), values[key])
	}
	return o, true
}

// plainKey makes call_id, callId and CallID the same.
func plainKey(key string) string {
	return strings.ToLower(strings.ReplaceAll(key, "_", ""))
}

func (o object) add(key string, raw json.RawMessage) {
	if _, taken := o[key]; !taken && !isNull(raw) {
		o[key] = raw
	}
}

// addItem adds what only the "item" of an event has.
func (o object) addItem() {
	item, _ := readObject(o["item"])
	for key, raw := range item {
		o.add(key, raw)
	}
}

func (o object) raw(names ...string) json.RawMessage {
	for _, name := range names {
		if raw, ok := o[plainKey(name)]; ok {
			return raw
		}
	}
	return nil
}

func (o object) array(name string) (entries []json.RawMessage, ok bool) {
	err := json.Unmarshal(o.raw(name), &entries)
	return entries, err == nil
}

// list takes a value that is not an array for an array of that one value: the
// dispositions are documented as an object.
func (o object) list(name string) []json.RawMessage {
	if entries, ok := o.array(name); ok {
		return entries
	}
	return []json.RawMessage{o.raw(name)}
}

func (o object) texts(name string) []string {
	var texts []string
	for _, raw := range o.list(name) {
		if text := scalar(raw); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

func (o object) text(names ...string) string { return scalar(o.raw(names...)) }

// id returns a positive whole number. Plain digits are exact; another form, such
// as 397.0, is read up to 2^53.
func (o object) id(names ...string) int64 {
	text := o.text(names...)
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		return int64(n)
	}
	if f := decimal(text); f == math.Trunc(f) {
		return int64(f)
	}
	return 0
}

// time reads milliseconds since 1970, or ISO 8601.
func (o object) time(name string) time.Time {
	const lastMilli = 253402300799999 // of the year 9999, the last that time.Time writes as JSON
	text := o.text(name)
	if ms := decimal(text); ms > 0 && ms <= lastMilli {
		return time.UnixMilli(int64(ms)).UTC()
	}
	return isoTime(text)
}

// isoTime reads the forms of ISO 8601 that other programs write, with a space
// instead of the T too. A time without a zone is in UTC.
func isoTime(text string) time.Time {
	text = strings.ToUpper(text)
	text = strings.Replace(text, " ", "T", 1)
	text = strings.ReplaceAll(text, " ", "")
	for _, utc := range []string{"UTC", "GMT"} {
		text = strings.Replace(text, utc, "Z", 1)
	}
	for _, clock := range []string{"T15:04:05", "T15:04", ""} {
		for _, zone := range []string{"Z07:00", "Z0700", "Z07", ""} {
			if t, err := time.Parse("2006-01-02"+clock+zone, text); err == nil {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}

// decimal returns 0 for what is not a plain number up to 2^53, without a sign:
// ParseFloat knows more than JSON does.
func decimal(text string) float64 {
	if text == "" || text[0] < '0' || text[0] > '9' || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f > 1<<53 {
		return 0
	}
	return f
}

// scalar returns the text of a string, a number or a flag.
func scalar(raw json.RawMessage) string {
	switch {
	case len(raw) == 0 || isNull(raw) || raw[0] == '{' || raw[0] == '[':
		return ""
	case raw[0] == '"':
		var text string
		_ = json.Unmarshal(raw, &text)
		return strings.TrimSpace(text)
	}
	return string(raw)
}

func isNull(raw []byte) bool { return string(raw) == "null" }

func pointerTo(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
