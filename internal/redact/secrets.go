package redact

import (
	"encoding/base64"
	"slices"
	"strings"
)

// A form is one way to write a secret.
type form struct {
	text string
	// alone says that it counts only where no letter or digit is next to it.
	alone bool
	// base64 says that padding can follow, and more that one more character
	// before it has bits of the secret in it.
	base64, more bool
}

// secrets are the forms of what must not be shown.
type secrets struct {
	forms  []form    // the longest first: a secret can be a part of another one
	begins [256]bool // the bytes that a form can begin with
}

func newSecrets(texts []string) *secrets {
	s := &secrets{}
	for _, text := range texts {
		switch {
		case text == "":
		case len(text) < 4:
			s.forms = append(s.forms, form{text: text, alone: true})
		default:
			s.forms = append(s.forms, form{text: text})
			for before := range 3 {
				s.forms = append(s.forms, inBase64(text, before, base64.RawStdEncoding), inBase64(text, before, base64.RawURLEncoding))
			}
		}
	}
	slices.SortStableFunc(s.forms, func(a, b form) int { return len(b.text) - len(a.text) })
	s.forms = slices.Compact(s.forms)
	for _, f := range s.forms {
		s.begins[f.text[0]] = true
	}
	s.begins['%'], s.begins['\\'] = true, true // escaped ones
	return s
}

// inBase64 returns what shows up of a secret in the base64 of a longer text, with
// so many bytes before it (modulo 3): the characters that the secret alone decides.
func inBase64(secret string, before int, encoding *base64.Encoding) form {
	bits := 8 * (before + len(secret))
	text := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
	return form{text: text[(8*before+5)/6 : bits/6], base64: true, more: bits%6 != 0}
}

// mask returns text with its secrets replaced, and how much of that stands for
// the first limit bytes of text. What follows is at most lookahead bytes of text.
func (s *secrets) mask(text string, limit int) (masked string, shown int) {
	end := min(len(text), limit+lookahead)
	if s == nil || len(s.forms) == 0 {
		return text[:end], min(limit, end)
	}
	var out strings.Builder
	next := s.appendMasked(&out, text, 0, min(limit, end))
	shown = out.Len()
	s.appendMasked(&out, text, next, end)
	return out.String(), shown
}

// appendMasked looks at all of text for secrets that begin between start and end,
// and returns where the last one that begins there ends.
func (s *secrets) appendMasked(out *strings.Builder, text string, start, end int) (next int) {
	copied := start
	for i := start; i < end; {
		width := 0
		switch {
		case text[i] == mask[0] && strings.HasPrefix(text[i:], mask): // a secret can be a part of the mask
			width = len(mask)
		case s.begins[text[i]]:
			width = s.at(text, i)
		}
		if width == 0 {
			i++
			continue
		}
		out.WriteString(text[copied:i])
		out.WriteString(mask)
		i += width
		copied = i
	}
	if copied < end {
		out.WriteString(text[copied:end])
	}
	return max(copied, end)
}

// at returns the length of the secret that begins at i, 0 for none.
func (s *secrets) at(text string, i int) int {
	isEscaped := text[i] == '\\' && i+1 < len(text) && text[i+1] != '\\' || text[i] == '%' && i+1 < len(text) && hexDigit(text[i+1]) >= 0
	for _, f := range s.forms {
		if f.text[0] != text[i] && !isEscaped {
			continue
		}
		width := f.prefixOf(text[i:])
		isPart := i > 0 && isWordByte(text[i-1]) || i+width < len(text) && isWordByte(text[i+width])
		if width > 0 && (!f.alone || !isPart) {
			return width
		}
	}
	return 0
}

// prefixOf returns the length of the form at the beginning of s, 0 for none. Each
// of its bytes can be escaped.
func (f form) prefixOf(s string) int {
	if strings.HasPrefix(s, f.text) && !f.base64 {
		return len(f.text)
	}
	n := 0
	for i := range len(f.text) {
		width := widthOf(f.text[i], s[n:])
		if width == 0 {
			return 0
		}
		n += width
	}
	if f.more && n < len(s) {
		n++
	}
	for f.base64 && n < len(s) && s[n] == '=' {
		n++
	}
	return n
}

// widthOf returns the length of c at the beginning of s, as it is or escaped in
// the ways of URLs, JSON and Go, and 0 if s begins with another byte.
func widthOf(c byte, s string) int {
	if s == "" {
		return 0
	}
	switch s[0] {
	case '%':
		if isHex(s, 1, c) {
			return len("%41")
		}
		if isHex(s, 3, c) && isHex(s, 1, '%') {
			return len("%2541")
		}
	case '\\':
		switch {
		case isHex(s, 4, c) && strings.HasPrefix(s, `\u00`):
			return len(`\u0041`)
		case isHex(s, 2, c) && s[1] == 'x':
			return len(`\x41`)
		case len(s) > 1 && s[1] == c:
			return len(`\"`)
		}
	}
	if s[0] == c {
		return 1
	}
	return 0
}

// isHex reports whether c stands at i in two hexadecimal digits.
func isHex(s string, i int, c byte) bool {
	return i+1 < len(s) && hexDigit(s[i]) == int(c>>4) && hexDigit(s[i+1]) == int(c&15)
}

// hexDigit returns the value of a hexadecimal digit, -1 for other bytes.
func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= lower(c) && lower(c) <= 'f':
		return int(lower(c)-'a') + 10
	}
	return -1
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isLetter(c byte) bool   { return 'a' <= lower(c) && lower(c) <= 'z' }
func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) }
