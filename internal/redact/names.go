package redact

import "strings"

// isWordStart reports whether a word begins at i. The letter of an escaped line
// break is no part of it.
func isWordStart(s string, i int) bool {
	return isWordByte(s[i]) && (i == 0 || !isWordByte(s[i-1]) || isLineBreak(s, i-1))
}

// isLineBreak reports whether i is at the letter of \n, \r or \t.
func isLineBreak(s string, i int) bool {
	return i > 0 && s[i-1] == '\\' && (s[i] == 'n' || s[i] == 'r' || s[i] == 't')
}

// idAt returns the length of the UUID or the hexadecimal id at the beginning of
// s, which is the beginning of a word. It is 0 for digits alone, and for short
// ones that are a number next to letters.
func idAt(s string) int {
	const uuid = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
	if hasLayout(s, uuid) && (len(s) == len(uuid) || !isWordByte(s[len(uuid)])) {
		return len(uuid)
	}
	n, run, longest, letters := 0, 0, 0, 0
	for ; n < len(s) && isWordByte(s[n]); n++ {
		switch {
		case hexDigit(s[n]) < 0:
			return 0
		case isDigit(s[n]):
			run++
			longest = max(longest, run)
		default:
			run = 0
			letters++
		}
	}
	if letters > 0 && longest > 0 && (n >= 16 || n >= 8 && longest < bare) {
		return n
	}
	return 0
}

// hostAt returns the length of the host name at i, 0 if what is there until end
// is none: three labels or more, of which the last two begin with a letter. A
// number before the end of a sentence has fewer.
func hostAt(s string, i int) (n, end int) {
	end = i
	for end < len(s) && (isWordByte(s[end]) || s[end] == '.' || s[end] == '-' || s[end] == '_') {
		end++
	}
	host := strings.TrimRight(s[i:end], ".-_")
	top := strings.LastIndexByte(host, '.')
	if top < 0 || !isLetter(host[top+1]) {
		return 0, end
	}
	second := strings.LastIndexByte(host[:top], '.')
	if second <= 0 || !isLetter(host[second+1]) {
		return 0, end
	}
	return len(host), end
}
