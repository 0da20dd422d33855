package flex_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls/internal/flex"
)

// FuzzDecode checks that no input panics, that the result does not depend on what was in
// dst, and that it survives encoding.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"1","name":true,"list":[{"label":"\u0041"},null],"at":1568117954}`))
	f.Add([]byte("\ufeff{\"inner\":{\"id\":1e3},\"twowords\":\"\xff\",\"ended\":\"2019-09-10 12:00:00 +0900\"}x"))
	f.Add([]byte(`[{"id":1},7,{"id":2`))
	f.Add(documentedCall(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first object
		second := object{ID: 1, Text: ptr("before"), List: make([]inner, 3), Pointed: &inner{ID: ptr[int64](1)}}
		err := flex.Decode(data, &first)
		if again := flex.Decode(data, &second); (err == nil) != (again == nil) {
			t.Fatalf("%v, and again %v", err, again)
		}
		if diff := cmp.Diff(first, second, ignoreHidden); diff != "" {
			t.Fatalf("decoded again (-first +second):\n%s", diff)
		}
		if err != nil && !errors.Is(err, flex.ErrNotObject) && !errors.Is(err, flex.ErrTruncated) && !errors.Is(err, flex.ErrMalformed) {
			t.Fatalf("error %v", err)
		}
		if encoded, err := json.Marshal(first); err == nil { // fails for years and zones that RFC 3339 does not have
			if err := flex.Decode(encoded, &second); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, second, ignoreHidden); diff != "" {
				t.Fatalf("%s (-decoded +encoded and decoded):\n%s", encoded, diff)
			}
		}
		_, _ = flex.DecodeArray(data, func(element *object, raw []byte) {
			var alone object
			if err := flex.Decode(raw, &alone); err != nil || !cmp.Equal(alone, *element, ignoreHidden) {
				t.Fatalf("element %s alone: %v\n%s", raw, err, cmp.Diff(alone, *element, ignoreHidden))
			}
		})
	})
}

// FuzzWellTyped checks that Decode agrees with encoding/json on documents of the right
// types, and that each truncation has fields of the whole.
func FuzzWellTyped(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed, "text")
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		g := generator{rand.New(rand.NewPCG(seed, 0)), text}
		data, err := json.Marshal(g.object())
		if err != nil {
			t.Fatal(err)
		}
		var want, got object
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if err := flex.Decode(data, &got); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if diff := cmp.Diff(want, got, ignoreHidden); diff != "" {
			t.Fatalf("%s (-encoding/json +flex):\n%s", data, diff)
		}
		testTruncations(t, data, got, func(part []byte) (object, error) {
			var o object
			err := flex.Decode(part, &o)
			return o, err
		})
	})
}

// generator returns objects with random fields left out.
type generator struct {
	*rand.Rand
	text string
}

func (g generator) object() object {
	return object{
		ID: g.Int64()>>g.IntN(64) + 1, Name: g.text, Kind: kind(g.text), Open: g.IntN(2) == 0, At: g.time(), Inner: *g.inner(),
		Count: sometimes(g, g.Int64()), Text: sometimes(g, g.text), Flag: sometimes(g, g.IntN(2) == 0), Ended: sometimes(g, g.time()),
		Pointed: g.inner(), List: []inner{*g.inner(), *g.inner()}[:g.IntN(3)], Pointers: []*inner{g.inner(), nil, g.inner()}[:g.IntN(4)],
		Numbers: []int64{g.Int64(), -g.Int64(), 0}[:g.IntN(4)], Two: sometimes(g, g.text),
	}
}

func (g generator) inner() *inner {
	return &inner{ID: sometimes(g, g.Int64()), Name: sometimes(g, g.text)}
}

func (g generator) time() time.Time {
	return time.Unix(g.Int64N(1<<33), g.Int64N(1e9)).In(time.FixedZone("", 60*g.IntN(600)))
}

func sometimes[T any](g generator, value T) *T {
	if g.IntN(3) == 0 {
		return nil
	}
	return &value
}
