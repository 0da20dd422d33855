package flex_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ccaip-go/calls/internal/flex"
)

// object has a field of every type that Decode knows.
type object struct {
	ID       int64      `json:"id"`
	Name     string     `json:"name"`
	Kind     kind       `json:"kind"`
	Open     bool       `json:"open"`
	At       time.Time  `json:"at"`
	Inner    inner      `json:"inner"`
	Count    *int64     `json:"count"`
	Text     *string    `json:"text"`
	Flag     *bool      `json:"flag"`
	Ended    *time.Time `json:"ended"`
	Pointed  *inner     `json:"pointed"`
	List     []inner    `json:"list"`
	Pointers []*inner   `json:"pointers"`
	Numbers  []int64    `json:"numbers"`
	Two      *string    `json:"two_words" flex:"twowords"`
	Ignored  string     `json:"-"`
	hidden   string
}

type kind string

type inner struct {
	ID   *int64  `json:"id"`
	Name *string `json:"name" flex:"label"`
}

var noon = time.Date(2019, 9, 10, 12, 0, 0, 421e6, time.UTC)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		want       object
	}{
		{"nothing", `{}`, object{}},
		{"the documented types",
			`{"id":1,"name":"a","kind":"k","open":true,"at":"2019-09-10T12:00:00.421Z","inner":{"id":2,"name":"i"},"count":3,"text":"t","flag":false,` +
				`"ended":"2019-09-10T12:00:00.421Z","pointed":{"id":4},"list":[{"id":5},{"id":6}],"pointers":[{"id":7}],"numbers":[8,9],"two_words":"w"}`,
			object{
				ID: 1, Name: "a", Kind: "k", Open: true, At: noon, Inner: inner{ID: ptr[int64](2), Name: ptr("i")}, Count: ptr[int64](3), Text: ptr("t"), Flag: ptr(false),
				Ended: &noon, Pointed: &inner{ID: ptr[int64](4)}, List: []inner{{ID: ptr[int64](5)}, {ID: ptr[int64](6)}}, Pointers: []*inner{{ID: ptr[int64](7)}},
				Numbers: []int64{8, 9}, Two: ptr("w"),
			}},
		{"null everywhere",
			`{"id":null,"name":null,"kind":null,"open":null,"at":null,"inner":null,"count":null,"text":null,"flag":null,"ended":null,"pointed":null,"list":null,"pointers":null,"numbers":null,"two_words":null}`,
			object{}},
		{"a wrong type everywhere",
			`{"id":{},"name":[],"kind":{},"open":"maybe","at":7,"inner":[],"count":"many","text":{},"flag":2,"ended":"soon","pointed":"x","list":{},"pointers":"x","numbers":7,"two_words":[]}`,
			object{}},

		{"a number in quotes", `{"id":"12","count":" 13 "}`, object{ID: 12, Count: ptr[int64](13)}},
		{"a number with a fraction of zero", `{"id":12.0,"count":1.3e1}`, object{ID: 12, Count: ptr[int64](13)}},
		{"a number with a fraction", `{"id":12.5,"count":"0.1"}`, object{}},
		{"a negative number", `{"id":-12,"count":"-13"}`, object{ID: -12, Count: ptr[int64](-13)}},
		{"a number above 2^53", `{"id":9007199254740993,"count":"9007199254740993"}`, object{ID: 9007199254740993, Count: ptr[int64](9007199254740993)}},
		{"the largest number", `{"id":9223372036854775807,"x":{}}`, object{ID: 9223372036854775807}},
		{"a number above int64", `{"id":9223372036854775808,"count":1e300}`, object{}},
		{"a number above 2^53 that may not be exact", `{"id":9007199254740994.0,"count":1e18}`, object{}},
		{"a number that JSON does not have", `{"id":"NaN","count":"Inf","numbers":["0x1p4","12_34"]}`, object{Numbers: []int64{0, 0}}},
		{"a flag for a number", `{"id":true,"count":false}`, object{}},

		{"a flag in quotes", `{"open":"true","flag":"false"}`, object{Open: true, Flag: ptr(false)}},
		{"a flag as a number", `{"open":1,"flag":0}`, object{Open: true, Flag: ptr(false)}},
		{"a flag in upper case", `{"open":"TRUE","flag":" False "}`, object{Open: true, Flag: ptr(false)}},
		{"the word of the reference for a flag", `{"open":"boolean","flag":"boolean"}`, object{}},

		{"a number for a text", `{"name":12,"text":12.50,"kind":7}`, object{Name: "12", Text: ptr("12.50"), Kind: "7"}},
		{"a flag for a text", `{"name":true,"text":false}`, object{Name: "true", Text: ptr("false")}},
		{"an empty text is a text", `{"name":"","text":""}`, object{Text: ptr("")}},
		{"escapes", `{"name":"\u0061\n","text":"\"","count":"1"}`, object{Name: "a\n", Text: ptr(`"`), Count: ptr[int64](1)}},

		{"a time with an offset", `{"at":"2019-09-10T14:00:00.421+02:00","count":"1"}`, object{At: noon, Count: ptr[int64](1)}},
		{"a time with space around it", `{"ended":" 2019-09-10T12:00:00.421Z "}`, object{Ended: &noon}},
		{"an empty time", `{"at":"","ended":""}`, object{}},
		{"a date for a time", `{"ended":"2019-09-10","name":"a"}`, object{Name: "a"}},

		{"the other spelling", `{"twowords":"w"}`, object{Two: ptr("w")}},
		{"both spellings", `{"twowords":"other","two_words":"first"}`, object{Two: ptr("first")}},
		{"both spellings, the first empty", `{"two_words":"","twowords":"other"}`, object{Two: ptr("")}},
		{"both spellings, the first malformed", `{"two_words":[],"twowords":"other"}`, object{Two: ptr("other")}},
		{"the first spelling null", `{"two_words":null,"twowords":"other"}`, object{Two: ptr("other")}},
		{"the other spelling in an inner object", `{"pointed":{"label":"l"},"list":[{"label":"m"}],"inner":{"name":"n","label":"o"}}`,
			object{Pointed: &inner{Name: ptr("l")}, List: []inner{{Name: ptr("m")}}, Inner: inner{Name: ptr("n")}}},
		{"the other spelling as a value", `{"name":"twowords","text":"label"}`, object{Name: "twowords", Text: ptr("label")}},

		{"an empty list is a list", `{"list":[],"numbers":[]}`, object{List: []inner{}, Numbers: []int64{}}},
		{"malformed elements keep their place", `{"list":["x",{"id":1},7,[],{"id":"2"}],"numbers":["1",{},2,"x"]}`,
			object{List: []inner{{}, {ID: ptr[int64](1)}, {}, {}, {ID: ptr[int64](2)}}, Numbers: []int64{1, 0, 2, 0}}},
		{"a malformed field in an element", `{"list":[{"id":{},"name":"n"}]}`, object{List: []inner{{Name: ptr("n")}}}},
		{"an empty object is an object", `{"pointed":{}}`, object{Pointed: &inner{}}},

		{"unknown keys", `{"id":1,"new":{"id":2,"name":[{}]},"":3}`, object{ID: 1}},
		{"keys without a field", `{"-":"a","Ignored":"b","hidden":"c","id":"1"}`, object{ID: 1}},
		{"a repeated key, the last wins", `{"id":1,"id":2}`, object{ID: 2}},
		{"a repeated key, the last valid value wins", `{"id":1,"id":null,"count":2,"count":"x","id":{}}`, object{ID: 1, Count: ptr[int64](2)}},
		{"a repeated object, the last wins",
			`{"pointed":{"id":1},"pointed":{"name":"n"},"inner":{"id":1},"inner":{"name":"n"},"list":[{"id":1},{"id":2}],"list":[{"name":"n"}]}`,
			object{Pointed: &inner{Name: ptr("n")}, Inner: inner{Name: ptr("n")}, List: []inner{{Name: ptr("n")}}}},
		{"a repeated key in an inner object", `{"list":[{"id":1,"id":2}],"pointed":{"label":"a","label":"b"}}`,
			object{List: []inner{{ID: ptr[int64](2)}}, Pointed: &inner{Name: ptr("b")}}},
		{"keys in another order", `{"two_words":"w","id":1,"flag":true,"name":"n","numbers":[1]}`,
			object{ID: 1, Name: "n", Flag: ptr(true), Numbers: []int64{1}, Two: ptr("w")}},
		{"keys in another case", `{"ID":2,"id":1,"NAME":"x","\u0049\u0044":3,"Kind":"b"}`, object{ID: 1}},
		{"a key with an escape", `{"\u0069d":1}`, object{ID: 1}},
		{"strings with escapes", `{"name":"a\"b\\c\u00e9\ud83d\ude00","text":"\/","two_words":"plain"}`,
			object{Name: "a\"b\\cé😀", Text: ptr("/"), Two: ptr("plain")}},
		{"half a surrogate pair", `{"name":"\ud83d!"}`, object{Name: "\ufffd!"}},
		{"text that is not UTF-8", "{\"name\":\"a\xffb\"}", object{Name: "a\ufffdb"}},
		{"lists with null", `{"list":[{"id":1},null],"pointers":[null,{"id":1}],"numbers":[1,null,2]}`,
			object{List: []inner{{ID: ptr[int64](1)}, {}}, Pointers: []*inner{nil, {ID: ptr[int64](1)}}, Numbers: []int64{1, 0, 2}}},
		{"a byte order mark", "\ufeff" + `{"id":1}`, object{ID: 1}},
		{"space around the object", " \r\n\t{\"id\":1}\n ", object{ID: 1}},
		{"another object after it", `{"id":1}{"id":2}`, object{ID: 1}},
		{"text after it", `{"id":1}</html>`, object{ID: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := object{ID: 99, Name: "what was there before", Text: ptr("too"), List: make([]inner, 3)}
			if err := flex.Decode([]byte(test.data), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, ignoreHidden); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeKeepsWhatEndedBeforeTheFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		data string
		want object
		err  error
	}{
		{"", object{}, flex.ErrNotObject},
		{"null", object{}, flex.ErrNotObject},
		{"[]", object{}, flex.ErrNotObject},
		{`[{"id":1}]`, object{}, flex.ErrNotObject},
		{"7", object{}, flex.ErrNotObject},
		{`"{}"`, object{}, flex.ErrNotObject},
		{"<html></html>", object{}, flex.ErrNotObject},
		{"\ufeff", object{}, flex.ErrNotObject},

		{"{", object{}, flex.ErrTruncated},
		{`{"id"`, object{}, flex.ErrTruncated},
		{`{"id":`, object{}, flex.ErrTruncated},
		{`{"id":39`, object{}, flex.ErrTruncated},
		{`{"id":397.`, object{}, flex.ErrTruncated},
		{`{"id":-`, object{}, flex.ErrTruncated},
		{`{"id":"397`, object{}, flex.ErrTruncated},
		{`{"id":397,`, object{ID: 397}, flex.ErrTruncated},
		{`{"id":397 `, object{ID: 397}, flex.ErrTruncated},
		{`{"id":"397"`, object{ID: 397}, flex.ErrTruncated},
		{`{"id":397,"name":"e`, object{ID: 397}, flex.ErrTruncated},
		{`{"id":397,"name":"e\u00`, object{ID: 397}, flex.ErrTruncated},
		{"{\"id\":397,\"name\":\"e\xc3", object{ID: 397}, flex.ErrTruncated},
		{`{"open":tru`, object{}, flex.ErrTruncated},
		{`{"open":true,"flag":fal`, object{Open: true}, flex.ErrTruncated},
		{`{"id":1,"pointed":{"id":2,"name":"n"`, object{ID: 1}, flex.ErrTruncated},
		{`{"id":1,"inner":{"id":2,"name":"n"`, object{ID: 1}, flex.ErrTruncated},
		{`{"id":1,"list":[{"id":2},{"id":3}`, object{ID: 1}, flex.ErrTruncated},
		{`{"pointed":{"id":1},"pointed":{"name":"n"`, object{}, flex.ErrTruncated},
		{`{"id":1,"unknown":{"a":[`, object{ID: 1}, flex.ErrTruncated},

		{`{"id":}`, object{}, flex.ErrMalformed},
		{`{id:1}`, object{}, flex.ErrMalformed},
		{`{"id":1,}`, object{ID: 1}, flex.ErrMalformed},
		{`{"id":1 "name":"n"}`, object{ID: 1}, flex.ErrMalformed},
		{`{"id":1]`, object{ID: 1}, flex.ErrMalformed},
		{`{"id":1,"name":NaN,"open":true}`, object{ID: 1}, flex.ErrMalformed},
		{`{"id":1,"list":[{"id":2}}`, object{ID: 1}, flex.ErrMalformed},
		{`{"id":1,"list":` + strings.Repeat("[", 20000), object{ID: 1}, flex.ErrMalformed},
		{`{"id":1,"unknown":` + strings.Repeat(`{"a":`, 20000), object{ID: 1}, flex.ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.data[:min(len(test.data), 50)], func(t *testing.T) {
			t.Parallel()
			got := object{ID: 99}
			if err := flex.Decode([]byte(test.data), &got); !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got, ignoreHidden); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsDoNotQuoteTheData(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{"secret":"secret"X`, `{"secret":{"secret":secret`, `{"secret":"secret`, `secret`, `{secret`} {
		err := flex.Decode([]byte(data), &object{})
		if err == nil || strings.ContainsAny(err.Error(), "X\"") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// TestEveryTruncationOfTheDocumentedCall checks that each field is that of the whole call,
// or zero.
func TestEveryTruncationOfTheDocumentedCall(t *testing.T) {
	t.Parallel()
	data := documentedCall(t)
	var whole call
	if err := flex.Decode(data, &whole); err != nil {
		t.Fatal(err)
	}
	testTruncations(t, data, whole, func(part []byte) (call, error) {
		var got call
		err := flex.Decode(part, &got)
		return got, err
	})
}

// testTruncations also checks that a longer part never has fewer fields.
func testTruncations[T any](t *testing.T, data []byte, whole T, decode func([]byte) (T, error)) {
	t.Helper()
	before := 0
	for cut := 1; cut < len(data); cut++ {
		got, err := decode(data[:cut])
		if !errors.Is(err, flex.ErrTruncated) {
			t.Fatalf("cut at %d: error %v", cut, err)
		}
		set := 0
		want, is := reflect.ValueOf(whole), reflect.ValueOf(got)
		for i := range is.NumField() {
			if is.Field(i).IsZero() {
				continue
			}
			set++
			if !want.Type().Field(i).IsExported() || !reflect.DeepEqual(is.Field(i).Interface(), want.Field(i).Interface()) {
				t.Fatalf("cut at %d: field %s differs from the whole", cut, want.Type().Field(i).Name)
			}
		}
		if set < before {
			t.Fatalf("cut at %d: %d fields, %d before", cut, set, before)
		}
		before = set
	}
	if before == 0 {
		t.Error("no cut gave a field")
	}
}

func TestConcurrentDecode(t *testing.T) {
	t.Parallel()
	type fresh struct { // a type whose shape nobody has looked at yet
		ID    int64  `json:"id"`
		Inner *inner `json:"inner"`
	}
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			var got fresh
			if err := flex.Decode([]byte(`{"id":"1","inner":{"label":"l"}}`), &got); err != nil || got.ID != 1 || *got.Inner.Name != "l" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

var ignoreHidden = cmpopts.IgnoreUnexported(object{})

func ptr[T any](value T) *T { return &value }
