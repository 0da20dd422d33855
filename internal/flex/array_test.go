package flex_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls/internal/flex"
)

func TestDecodeArray(t *testing.T) {
	t.Parallel()
	one, two := inner{ID: ptr[int64](1)}, inner{ID: ptr[int64](2), Name: ptr("n")}
	tests := []struct {
		name, data string
		want       []inner
		raw        []string
		err        error
	}{
		{"nothing", `[]`, nil, nil, nil},
		{"objects", `[{"id":1},{"id":2,"name":"n"}]`, []inner{one, two}, []string{`{"id":1}`, `{"id":2,"name":"n"}`}, nil},
		{"space and a byte order mark", "\ufeff [ {\"id\": 1 }\n,\t{ } ]\r\n", []inner{one, {}}, []string{`{"id": 1 }`, `{ }`}, nil},
		{"elements that are not objects", `[null,{"id":1},7,"x",[{"id":3}],true,{"id":2,"label":"n"}]`,
			[]inner{one, two}, []string{`{"id":1}`, `{"id":2,"label":"n"}`}, nil},
		{"mistyped values", `[{"id":{},"name":[]},{"id":"1"}]`, []inner{{}, one}, []string{`{"id":{},"name":[]}`, `{"id":"1"}`}, nil},
		{"escapes", `[{"id":1},{"id":2,"\u006eame":"\u006e"}]`, []inner{one, two}, []string{`{"id":1}`, `{"id":2,"\u006eame":"\u006e"}`}, nil},
		{"something after it", `[{"id":1}]</html>`, []inner{one}, []string{`{"id":1}`}, nil},

		{"no array", `{"id":1}`, nil, nil, flex.ErrNotArray},
		{"no JSON", `<html>`, nil, nil, flex.ErrNotArray},
		{"empty", ``, nil, nil, flex.ErrNotArray},
		{"null", `null`, nil, nil, flex.ErrNotArray},

		{"truncated at once", `[`, nil, nil, flex.ErrTruncated},
		{"truncated in an object", `[{"id":1},{"id":2,"name":"n"`, []inner{one}, []string{`{"id":1}`}, flex.ErrTruncated},
		{"truncated after an object", `[{"id":1}`, []inner{one}, []string{`{"id":1}`}, flex.ErrTruncated},
		{"truncated after a comma", `[{"id":1},`, []inner{one}, []string{`{"id":1}`}, flex.ErrTruncated},
		{"truncated in an element that is skipped", `[{"id":1},[1`, []inner{one}, []string{`{"id":1}`}, flex.ErrTruncated},
		{"malformed", `[{"id":1},{"id":@},{"id":2}]`, []inner{one}, []string{`{"id":1}`}, flex.ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []inner
			var raws []string
			_, err := flex.DecodeArray([]byte(test.data), func(object *inner, raw []byte) {
				got, raws = append(got, *object), append(raws, string(raw))
			})
			if !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.raw, raws); diff != "" {
				t.Errorf("raw (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeArrayOfDocumentedCalls(t *testing.T) {
	t.Parallel()
	document := documentedCall(t)
	var want call
	if err := flex.Decode(document, &want); err != nil {
		t.Fatal(err)
	}
	n := 0
	elements, err := flex.DecodeArray(pageOf(document, 100), func(got *call, raw []byte) {
		n++
		if diff := cmp.Diff(want, *got, ignoreRaw); diff != "" || !bytes.Equal(raw, document) {
			t.Errorf("object %d (-want +got):\n%s\n%s", n, diff, raw)
		}
	})
	if err != nil || n != 100 || elements != 100 {
		t.Errorf("%d objects of %d elements, %v", n, elements, err)
	}
}

func TestDecodeArrayCountsTheElementsThatItSkips(t *testing.T) {
	t.Parallel()
	n := 0
	elements, err := flex.DecodeArray([]byte(`[null,{"id":1},7,[{"id":3}],{}]`), func(*inner, []byte) { n++ })
	if elements != 5 || n != 2 || err != nil {
		t.Errorf("%d elements, %d objects, %v", elements, n, err)
	}
}

// TestDecodeArraySharesNothingThatChanges checks that an object does not change when the
// next one is decoded.
func TestDecodeArraySharesNothingThatChanges(t *testing.T) {
	t.Parallel()
	var kept []*inner
	if _, err := flex.DecodeArray([]byte(`[{"id":1,"name":"a\u0062"},{"id":2,"name":"c\u0064"}]`), func(object *inner, _ []byte) {
		kept = append(kept, object)
	}); err != nil {
		t.Fatal(err)
	}
	want := []*inner{{ID: ptr[int64](1), Name: ptr("ab")}, {ID: ptr[int64](2), Name: ptr("cd")}}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}
