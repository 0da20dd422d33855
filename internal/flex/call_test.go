package flex_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ccaip-go/calls"
)

// call is a calls.Call without its methods.
type call calls.Call

// documentedCall returns the documented call object without white space.
func documentedCall(tb testing.TB) []byte {
	tb.Helper()
	data, err := os.ReadFile("../../testdata/call_object.json")
	if err != nil {
		tb.Fatal(err)
	}
	var objects []json.RawMessage
	if err := json.Unmarshal(data, &objects); err != nil {
		tb.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, objects[0]); err != nil {
		tb.Fatal(err)
	}
	// encoding/json cannot decode the documented string into a boolean.
	return replaced(tb, compact.Bytes(), `"hidden":"string"`, `"hidden":true`)
}

func replaced(tb testing.TB, data []byte, old, new string) []byte {
	tb.Helper()
	if !bytes.Contains(data, []byte(old)) {
		tb.Fatalf("no %s in the document", old)
	}
	return bytes.ReplaceAll(data, []byte(old), []byte(new))
}

func pageOf(object []byte, n int) []byte {
	return append(append([]byte("["), bytes.Join(repeat(object, n), []byte(","))...), ']')
}

func repeat(object []byte, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = object
	}
	return all
}

var ignoreRaw = cmpopts.IgnoreUnexported(call{})
