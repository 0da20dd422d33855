// Package redact makes texts that others wrote fit to be logged or shown: short,
// without what is private, and without characters that a terminal obeys.
package redact

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

const (
	// limit is how many bytes of a text are shown.
	limit = 4 << 10
	// lookahead is how many bytes after the limit are read, so that an address
	// or a number that begins before the limit is still recognized.
	lookahead = 512

	mask      = "[redacted]"
	truncated = "… [truncated]"
)

// Text returns s without e-mail addresses and telephone numbers, with control
// characters escaped as Escape does, and truncated to 4 KiB. It takes time
// linear in those 4 KiB, whatever the length of s. Where a text can be read as
// private or as harmless, it is replaced.
func Text(s string) string { return (*Redactor)(nil).Text(s) }

// A Redactor also removes secrets that it knows. A nil Redactor knows none. It
// is safe for concurrent use, and prints no secret with any verb of fmt.
type Redactor struct {
	secrets func() *secrets // a function, since fmt shows the values of all other fields
}

// New returns a Redactor that knows secrets, in plain text, in base64 and
// percent-encoded. What basic authentication sends is a secret of its own: the
// user name, a colon and the password. A secret of less than 4 bytes is only
// replaced where it stands alone, an empty one is ignored.
func New(texts ...string) *Redactor {
	// Made anew for each text: their forms take a kilobyte, and there can be a
	// thousand Clients in a process.
	return &Redactor{func() *secrets { return newSecrets(texts) }}
}

// Text is the function Text, and also removes the secrets.
func (r *Redactor) Text(s string) string { return r.redact(s, limit) }

// redact looks for what is private a little beyond the limit, and for secrets as
// far as they go, so that none is cut in two and its beginning shown.
func (r *Redactor) redact(s string, limit int) string {
	var known *secrets
	if r != nil && r.secrets != nil {
		known = r.secrets()
	}
	text, shown := known.mask(s, limit)
	out := output{limit: limit, pieces: make([]byte, 0, min(limit, 2*shown))}
	i := 0
	for _, private := range append(privateIn(text), span{shown, shown}) {
		for end := min(private.start, shown); i < end && !out.isFull(); {
			char, width := utf8.DecodeRuneInString(text[i:])
			out.add(visible(char, text[i:i+width]))
			i += width
		}
		if i >= shown || out.isFull() {
			break
		}
		out.add(mask)
		i = private.end
	}
	return out.text(i >= len(text) && len(s) <= limit+lookahead)
}

// privateIn returns the parts of s that are private, in order.
func privateIn(s string) []span {
	var found []span
	end := 0
	for _, address := range addresses(s) {
		found = append(appendNumbers(found, s[end:address.start], end), address)
		end = address.end
	}
	return appendNumbers(found, s[end:], end)
}

// A span is a part of a text, in bytes.
type span struct{ start, end int }

// output collects pieces up to a limit. Its text has the mark of truncation
// within the limit, so that it is not truncated a second time.
type output struct {
	limit  int
	pieces []byte
	fit    int // how many bytes of pieces leave room for the mark
}

func (o *output) add(piece string) {
	o.pieces = append(o.pieces, piece...)
	if len(o.pieces)+len(truncated) <= o.limit {
		o.fit = len(o.pieces)
	}
}

func (o *output) isFull() bool { return len(o.pieces) > o.limit }

func (o *output) text(isWhole bool) string {
	if isWhole && !o.isFull() {
		return string(o.pieces)
	}
	return string(o.pieces[:o.fit]) + truncated
}

// Escape returns s with everything visible that is not: line breaks and tabs as
// \n, \r and \t, other control characters, bidi marks and characters without a
// picture as \u{1b}, and each byte that is not UTF-8 as U+FFFD. Backslashes stay
// as they are, so escaping twice changes nothing.
func Escape(s string) string {
	var out []byte
	for i, r := range s {
		_, width := utf8.DecodeRuneInString(s[i:])
		out = append(out, visible(r, s[i:i+width])...)
	}
	return string(out)
}

func visible(r rune, encoded string) string {
	switch {
	case r == utf8.RuneError:
		return "\ufffd"
	case unicode.IsGraphic(r):
		return encoded
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	}
	return `\u{` + strconv.FormatInt(int64(r), 16) + `}`
}
