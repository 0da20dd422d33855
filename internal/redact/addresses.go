package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// atSigns are the ways in which texts write an at sign.
var atSigns = [...]string{"@", "＠", "﹫", "%40", "%2540", `\u0040`, `\x40`, "&#64;", "&#x40;", "&commat;"}

// addresses returns each at sign of s with what can belong to an e-mail address,
// or to a user and a password in a URL, on both of its sides.
func addresses(s string) []span {
	var found []span
	end := 0
	for i := 0; i < len(s); {
		width := atSignAt(s[i:])
		if width == 0 {
			i++
			continue
		}
		start := end + localPart(s[end:i])
		end = i + width + domain(s[i+width:])
		found = append(found, span{start, end})
		i = end
	}
	return found
}

func atSignAt(s string) int {
	switch s[0] {
	case '@':
		return 1
	case '%', '\\', '&', "＠"[0]:
		for _, sign := range atSigns {
			if strings.HasPrefix(s, sign) {
				return len(sign)
			}
		}
	}
	return 0
}

const (
	maxQuoted = 128 // bytes of a quoted local part that are looked at
	maxURL    = 512 // bytes of a URL
)

// localPart returns where, in what stands before an at sign, the address begins.
func localPart(s string) int {
	if strings.HasSuffix(s, `"`) { // "agent one"@example.com
		from := max(0, len(s)-maxQuoted)
		if i := strings.LastIndexByte(s[from:len(s)-1], '"'); i >= 0 {
			return from + i
		}
	}
	i := strings.LastIndexFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`<>()[],;:"`, r)
	})
	start := 0
	if i >= 0 {
		_, width := utf8.DecodeRuneInString(s[i:])
		start = i + width
	}
	if i := inURL(s); i >= 0 {
		return i
	}
	return start + afterKey(s[start:])
}

// inURL returns where the address begins if s ends within a URL: at the user of
// https://user:password@example.com, or in the path or query. It is -1 without one.
func inURL(s string) int {
	from := max(0, len(s)-maxURL)
	i := strings.LastIndex(s[from:], "://")
	if i < 0 {
		return -1
	}
	start := from + i + len("://")
	rest := s[start:]
	if strings.ContainsAny(rest, " \t\r\n\"<>") {
		return -1
	}
	return start + strings.LastIndexAny(rest, "/?&=") + 1
}

// afterKey returns where the address begins in a path, a query or a name=value.
// Other addresses can have all of those characters in them.
func afterKey(run string) int {
	if strings.HasPrefix(run, "/") || strings.Contains(run, "?") {
		return strings.LastIndexAny(run, "/?&=") + 1
	}
	if i := strings.IndexByte(run, '='); i >= 4 && strings.EqualFold(run[i-4:i], "mail") {
		return i + 1
	}
	return len(run) - len(strings.TrimLeft(run, "'`"))
}

// domain returns how much of what stands after an at sign belongs to the address.
func domain(s string) int {
	if strings.HasPrefix(s, "[") { // agent@[192.0.2.1]
		if i := strings.IndexByte(s[:min(len(s), 64)], ']'); i >= 0 {
			return i + 1
		}
	}
	i := strings.IndexFunc(s, func(r rune) bool {
		return r < utf8.RuneSelf && !isWordByte(byte(r)) && !strings.ContainsRune(".-_%@", r) || unicode.IsSpace(r)
	})
	if i < 0 {
		i = len(s)
	}
	return len(strings.TrimRight(s[:i], "."))
}
