package flex

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// reader is a document that is being decoded.
type reader struct {
	jsontext.Decoder
	input    bytes.Buffer
	data     []byte
	isPlain  bool            // data has no escapes and no invalid UTF-8
	unquoted []byte          // a string with its escapes replaced
	piece    strings.Builder // the strings of the object, as far as they fit in
	memory   int             // how many bytes may still be allocated for what data has
}

// readers saves the tokenizer's stacks, a third of what a Decode would allocate.
var readers = sync.Pool{New: func() any { return new(reader) }}

func newReader(data []byte) *reader {
	r := readers.Get().(*reader)
	// A documented object takes about as much memory as its text; {} hundreds of times as much.
	r.memory = 256<<10 + 3*len(data)
	r.data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r.isPlain = bytes.IndexByte(r.data, '\\') < 0 && utf8.Valid(r.data)
	r.input = *bytes.NewBuffer(r.data)
	r.Reset(&r.input, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return r
}

func (r *reader) release() {
	r.input, r.data, r.unquoted, r.piece = bytes.Buffer{}, nil, nil, strings.Builder{}
	r.Reset(&r.input)
	readers.Put(r)
}

// allocate returns a new zero value, which is not valid if the memory for it and for
// more bytes is used up.
func (r *reader) allocate(t reflect.Type, more int) reflect.Value {
	if r.memory -= int(t.Size()) + more; r.memory < 0 {
		return reflect.Value{}
	}
	return reflect.New(t).Elem()
}

// fault returns err without the keys and characters that the tokenizer quotes.
func (r *reader) fault(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("%w after byte %d", ErrMalformed, r.InputOffset())
}

// token reads what begins or ends an object or an array.
func (r *reader) token() error {
	_, err := r.ReadToken()
	return err
}

// text reads a key or a value that is no object or array, and returns its text,
// which is valid until the next call.
func (r *reader) text() ([]byte, error) {
	raw, err := r.ReadValue()
	switch {
	case err != nil:
		return nil, err
	case raw[0] != '"' && r.InputOffset() == int64(len(r.data)): // 39 may be the beginning of 397
		return nil, io.ErrUnexpectedEOF
	case raw[0] != '"':
		return raw, nil
	case r.isPlain:
		return raw[1 : len(raw)-1], nil
	}
	if longest := len("\ufffd") * len(raw); cap(r.unquoted) < longest {
		r.unquoted = make([]byte, 0, longest)
	}
	// The error means invalid UTF-8, which has been replaced.
	r.unquoted, _ = jsontext.AppendUnquote(r.unquoted[:0], raw)
	return r.unquoted, nil
}

// copyOf returns a string with the bytes of text. Strings share pieces of memory.
func (r *reader) copyOf(text []byte) string {
	const piece = 1 << 10
	if r.piece.Cap()-r.piece.Len() < len(text) {
		r.piece = strings.Builder{}
		r.piece.Grow(max(len(text), min(piece, len(r.data))))
	}
	begin := r.piece.Len()
	r.piece.Write(text)
	return r.piece.String()[begin:]
}
