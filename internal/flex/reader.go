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
	tokens     jsontext.Decoder
	input      bytes.Buffer
	data       []byte
	isPlain    bool            // data has no escapes and no invalid UTF-8
	begin, end int             // of the last token in data
	unquoted   []byte          // a string with its escapes replaced
	piece      strings.Builder // the strings of the object, as far as they fit in
	memory     int             // how many bytes may still be allocated for what data has
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
	r.tokens.Reset(&r.input, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return r
}

func (r *reader) release() {
	r.input, r.data, r.unquoted, r.piece = bytes.Buffer{}, nil, nil, strings.Builder{}
	r.tokens.Reset(&r.input)
	readers.Put(r)
}

// allocate returns a new zero value, which is not valid if memory is used up.
func (r *reader) allocate(t reflect.Type) reflect.Value {
	if !r.spend(int(t.Size())) {
		return reflect.Value{}
	}
	return reflect.New(t).Elem()
}

// spend reports whether size bytes may be allocated; after a no, none may be.
func (r *reader) spend(size int) bool {
	r.memory = max(-1, r.memory-size)
	return r.memory >= 0
}

// fault returns err without the keys and characters that the tokenizer quotes.
func (r *reader) fault(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("%w after byte %d", ErrMalformed, r.tokens.InputOffset())
}

// skip reads the rest of a value that begins with a token of kind.
func (r *reader) skip(kind byte) error {
	if kind != '{' && kind != '[' {
		return nil
	}
	for depth := r.tokens.StackDepth(); r.tokens.StackDepth() >= depth; {
		if _, err := r.tokens.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

// next reads a token, data[r.begin:r.end], and returns its first byte.
func (r *reader) next() (kind byte, err error) {
	begin := int(r.tokens.InputOffset())
	if _, err := r.tokens.ReadToken(); err != nil {
		return 0, err
	}
	for r.data[begin] <= ' ' || r.data[begin] == ',' || r.data[begin] == ':' {
		begin++
	}
	r.begin, r.end = begin, int(r.tokens.InputOffset())
	switch kind = r.data[begin]; kind {
	case '{', '}', '[', ']', '"':
		return kind, nil
	}
	if r.end == len(r.data) { // 39 may be the beginning of 397
		return kind, io.ErrUnexpectedEOF
	}
	return kind, nil
}

// text returns the text of the last token, which is a scalar or a key. It is not
// valid after the next call.
func (r *reader) text() []byte {
	raw := r.data[r.begin:r.end]
	if raw[0] != '"' {
		return raw
	}
	isValid := r.isPlain || utf8.Valid(raw)
	if r.isPlain || isValid && bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	size := len(raw)
	if !isValid {
		size *= len("\ufffd") // for each byte
	}
	if cap(r.unquoted) < size {
		r.unquoted = make([]byte, 0, size)
	}
	// The error means invalid UTF-8, which has been replaced.
	r.unquoted, _ = jsontext.AppendUnquote(r.unquoted[:0], raw)
	return r.unquoted
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
