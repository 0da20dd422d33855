package flex_test

import (
	"encoding/json"
	"errors"
	"os"
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
		{"a number with a fraction of nothing", `{"id":12.0,"count":1.3e1}`, object{ID: 12, Count: ptr[int64](13)}},
		{"a number with a fraction", `{"id":12.5,"count":"0.1"}`, object{}},
		{"a negative number", `{"id":-12,"count":"-13"}`, object{ID: -12, Count: ptr[int64](-13)}},
		{"a number above 2^53", `{"id":9007199254740993,"count":"9007199254740993"}`, object{ID: 9007199254740993, Count: ptr[int64](9007199254740993)}},
		{"the largest number", `{"id":9223372036854775807,"x":{}}`, object{ID: 9223372036854775807}},
		{"a number above int64", `{"id":9223372036854775808,"count":1e300}`, object{}},
		{"a number above 2^53 that may not be exact", `{"id":9007199254740994.0,"count":1e18}`, object{}},
		{"what is no number to JSON", `{"id":"NaN","count":"Inf","numbers":["0x1p4","12_34"]}`, object{Numbers: []int64{0, 0}}},
		{"a flag for a number", `{"id":true,"count":false}`, object{}},

		{"a flag in quotes", `{"open":"true","flag":"false"}`, object{Open: true, Flag: ptr(false)}},
		{"a flag as a number", `{"open":1,"flag":0}`, object{Open: true, Flag: ptr(false)}},
		{"a flag in capitals", `{"open":"TRUE","flag":" False "}`, object{Open: true, Flag: ptr(false)}},
		{"the word that the reference has for a flag", `{"open":"boolean","flag":"boolean"}`, object{}},

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
		{"the first spelling null", `{"two_words":null,"twowords":"other"}`, object{Two: ptr("other")}},
		{"the other spelling further down", `{"pointed":{"label":"l"},"list":[{"label":"m"}],"inner":{"name":"n","label":"o"}}`,
			object{Pointed: &inner{Name: ptr("l")}, List: []inner{{Name: ptr("m")}}, Inner: inner{Name: ptr("n")}}},
		{"the other spelling as a value", `{"name":"twowords","text":"label"}`, object{Name: "twowords", Text: ptr("label")}},

		{"an empty list is a list", `{"list":[],"numbers":[]}`, object{List: []inner{}, Numbers: []int64{}}},
		{"odd elements keep their place", `{"list":["x",{"id":1},7,[],{"id":"2"}],"numbers":["1",{},2,"x"]}`,
			object{List: []inner{{}, {ID: ptr[int64](1)}, {}, {}, {ID: ptr[int64](2)}}, Numbers: []int64{1, 0, 2, 0}}},
		{"an odd field in an element", `{"list":[{"id":{},"name":"n"}]}`, object{List: []inner{{Name: ptr("n")}}}},
		{"an empty object is an object", `{"pointed":{}}`, object{Pointed: &inner{}}},

		{"unknown keys", `{"id":1,"new":{"id":2,"name":[{}]},"":3}`, object{ID: 1}},
		{"keys that are no fields", `{"-":"a","Ignored":"b","hidden":"c","id":"1"}`, object{ID: 1}},
		{"a key twice, the last wins", `{"id":1,"id":2}`, object{ID: 2}},
		{"a byte order mark", "\ufeff" + `{"id":1}`, object{ID: 1}},
		{"space around it", " \r\n\t{\"id\":1}\n ", object{ID: 1}},
		{"something behind it", `{"id":1}{"id":2}`, object{ID: 1}},
		{"something behind it that is no JSON", `{"id":1}</html>`, object{ID: 1}},
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

func TestDecodeOfWhatIsNoObject(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{ // whether it is ErrNotObject
		"":                 true,
		"null":             true,
		"[]":               true,
		`[{"id":1}]`:       true,
		"7":                true,
		`"{}"`:             true,
		"<html></html>":    true,
		"\ufeff":           true,
		"{":                false,
		`{"id":1`:          false,
		`{"id":1,"name":"`: false,
		`{"id":}`:          false,
		`{id:1}`:           false,
		`{"id":1,}`:        false,
	}
	for data, isNotObject := range tests {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			got := object{ID: 99}
			err := flex.Decode([]byte(data), &got)
			if err == nil || errors.Is(err, flex.ErrNotObject) != isNotObject {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(object{}, got, ignoreHidden); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
		})
	}
}

// Most answers keep to the documented types and are read by encoding/json. That
// must be a matter of speed only: a byte order mark, which encoding/json does not
// take, changes nothing of what is read.
func TestBothWaysOfDecodingAgree(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"a list with null in it":               `{"list":[{"id":1},null]}`,
		"a list of pointers with null":         `{"pointers":[null,{"id":1}]}`,
		"a list of numbers with null":          `{"numbers":[1,null,2]}`,
		"a key in another case":                `{"id":1,"ID":2}`,
		"a key in another case by an escape":   `{"id":1,"\u0049\u0044":2}`,
		"a key in another letter that folds":   "{\"kind\":\"a\",\"\u212aind\":\"b\"}",
		"a key in another case behind a quote": `{"name":"\"","id":1,"ID":2}`,
		"only a key in another case":           `{"NAME":"x"}`,
		"text that is no UTF-8":                "{\"name\":\"a\xffb\"}",
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var plain, marked object
			if err := flex.Decode([]byte(body), &plain); err != nil {
				t.Fatal(err)
			}
			if err := flex.Decode([]byte("\ufeff"+body), &marked); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain, marked, ignoreHidden); diff != "" {
				t.Errorf("%s\n(-by encoding/json +forgiving):\n%s", body, diff)
			}
		})
	}
}

// The same for everything that is documented.
func TestBothWaysOfDecodingAgreeOnDocumentedAnswers(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Status   int
		Response json.RawMessage
	}
	if err := json.Unmarshal(data, &examples); err != nil {
		t.Fatal(err)
	}
	type call struct { // what these bodies have most of
		ID           int64      `json:"id"`
		Status       string     `json:"status"`
		CreatedAt    *time.Time `json:"created_at"`
		HasFeedback  bool       `json:"has_feedback"`
		Rating       *int64     `json:"rating"`
		Reason       string     `json:"voicemail_reason" flex:"voicemail_reaso"`
		Participants []struct {
			ID          *int64     `json:"id"`
			ConnectedAt *time.Time `json:"connected_at"`
		} `json:"participants"`
		Menu *struct {
			Hidden *bool `json:"hidden"`
		} `json:"selected_menu"`
	}
	compared := 0
	for _, e := range examples {
		if e.Status != 201 {
			continue
		}
		var plain, marked call
		if err := errors.Join(flex.Decode(e.Response, &plain), flex.Decode([]byte("\ufeff"+string(e.Response)), &marked)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, marked); diff != "" || plain.ID == 0 || plain.Reason != "not_voicemail" {
			t.Errorf("%s\n(-by encoding/json +forgiving):\n%s", e.Response, diff)
		}
		compared++
	}
	if compared == 0 {
		t.Error("no example was compared")
	}
}

// A body that is nested deeper than encoding/json goes is an error, not a crash.
func TestDeepNesting(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	var got object
	if err := flex.Decode([]byte(`{"id":1,"list":`+deep+`}`), &got); err == nil {
		t.Error("no error")
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
