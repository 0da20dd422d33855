package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	certain  = 4  // digits make a telephone number where something says that it is one
	compact  = 6  // digits in pairs or more: 12 34 56
	bare     = 7  // digits are one by themselves
	maxID    = 19 // digits of an int64
	maxGap   = 5  // separators between two digits of one number
	maxWords = 40 // bytes before a number that are looked at
)

// appendNumbers appends to found what can be a telephone number in s, which
// stands at offset in the whole text. What it looks ahead and back for is bounded.
func appendNumbers(found []span, s string, offset int) []span {
	scan := scanner{s: s, idEnd: -1}
	for i := 0; i < len(s); {
		next, number := scan.at(i)
		if number.digits > 0 {
			found = append(found, span{offset + number.openedAt(s), offset + number.end})
		}
		i = next
	}
	return found
}

// A scanner reads a text once, from left to right.
type scanner struct {
	s       string
	idEnd   int // of the latest id
	hostEnd int // up to here no host name begins
}

// at returns the telephone number at i, if there is one, and where to go on.
func (c *scanner) at(i int) (next int, number group) {
	if n := c.nameAt(i); n > 0 {
		return i + n, group{}
	}
	if n := otherAt(c.s[i:]); n > 0 {
		return i + n, group{}
	}
	g := groupAt(c.s, i, certain)
	if g.digits < certain {
		if strings.HasPrefix(c.s[g.firstEnd:], ",") && contextOf(c.s, i, c.idEnd) == anID {
			c.idEnd = g.firstEnd
		}
		return max(g.firstEnd, i+clockAt(c.s[i:])), group{} // a time zone has enough digits
	}
	about := contextOf(c.s, i, c.idEnd)
	if n := known(c.s, i); n > 0 && about != aNumber {
		return i + n, group{}
	}
	most := unlimited
	if about != aNumber && !g.plus {
		most = untilKnown
	}
	g = groupAt(c.s, i, most)
	if g.isNumber(c.s, about) {
		return g.end, g
	}
	if about == anID {
		c.idEnd = g.firstEnd
		return g.firstEnd, group{}
	}
	return g.end, group{}
}

// nameAt returns the length of an id or a host name at i, 0 for none.
func (c *scanner) nameAt(i int) int {
	if !isWordStart(c.s, i) {
		return 0
	}
	n := idAt(c.s[i:])
	if n == 0 && i >= c.hostEnd {
		n, c.hostEnd = hostAt(c.s, i)
	}
	return n
}

// otherAt returns the length of the character at the beginning of s, 0 if a
// number can begin with it: for a digit and a plus.
func otherAt(s string) int {
	switch c := s[0]; {
	case c == '+', c == '%' && isHex(s, 1, '+'), isDigit(c):
		return 0
	case c < utf8.RuneSelf:
		return 1
	}
	r, width := utf8.DecodeRuneInString(s)
	if r == '＋' || r == '﹢' || unicode.Is(unicode.Nd, r) {
		return 0
	}
	return width
}

// A group is a sequence of digits with separators between them.
type group struct {
	start, end  int
	firstEnd    int // of the first run of digits
	digits      int
	runs        int
	shortestRun int
	plus        bool
	seen        [5]bool // which kinds of separators are between the digits
}

type separator int

const (
	other separator = iota
	dash
	dot
	closing // parenthesis
	unseen  // control characters, line breaks among them, and what has no width
)

const (
	unlimited  = -1
	untilKnown = -2 // up to what is known to be something else
)

// groupAt returns the group at i, where a number can begin. It ends with the run
// that has the digit number most in it. It has no digits if there is only a plus.
func groupAt(s string, i, most int) group {
	g := group{start: i, shortestRun: len(s)}
	j := i
	if plus := plusAt(s[i:]); plus > 0 {
		g.plus = true
		g.end, g.firstEnd = i+plus, i+plus
		j, _ = skipGap(s, i+plus)
	}
	var gap [5]bool
	for digitAt(s, j) > 0 {
		run := 0
		for width := digitAt(s, j); width > 0; width = digitAt(s, j) {
			run++
			j += width
		}
		g.digits += run
		g.runs++
		g.shortestRun = min(g.shortestRun, run)
		for kind := range gap {
			g.seen[kind] = g.seen[kind] || gap[kind]
		}
		if g.runs == 1 {
			g.firstEnd = j
		}
		g.end = j
		if g.digits >= most && most >= 0 {
			break
		}
		j, gap = skipGap(s, j)
		if j == g.end || most == untilKnown && j < len(s) && startsKnown(s, j) {
			break
		}
	}
	return g
}

// startsKnown reports whether what follows a gap is something else than a part
// of a number.
func startsKnown(s string, i int) bool {
	return isWordStart(s, i) && idAt(s[i:]) > 0 || s[i-1] <= ' ' && known(s, i) > 0
}

// isNumber reports whether the group is taken for a telephone number.
func (g group) isNumber(s string, about context) bool {
	switch {
	case g.plus || about == aNumber || about == dialed || g.seen[unseen]:
		return g.digits >= certain
	case about == aRange:
		return false
	case about == anID && g.firstEnd-g.start <= maxID &&
		(g.runs == 1 || g.firstEnd-g.start >= bare && s[g.firstEnd] == ' '):
		return false
	case g.seen[closing]:
		return g.digits >= certain
	case g.seen[dash] && !g.seen[dot] && !g.isPartOfName(s) && !isYearMonth(s[g.start:g.end]):
		return g.digits >= certain
	case g.runs == 2 && hasLayout(s[g.start:], "0.d"): // 0.3333333
		return false
	case g.runs >= 3 && g.shortestRun >= 2 && !g.seen[dot]:
		return g.digits >= compact
	}
	return g.digits >= bare
}

// isPartOfName reports whether the group is joined to letters: ISO-8859-1.
func (g group) isPartOfName(s string) bool {
	i, j := g.start, g.end
	if i > 0 && (s[i-1] == '-' || s[i-1] == '_') {
		i--
	}
	if j < len(s) && (s[j] == '-' || s[j] == '_') {
		j++
	}
	return i > 0 && isLetter(s[i-1]) && !isLineBreak(s, i-1) || j < len(s) && isLetter(s[j])
}

// openedAt returns where the group begins, with the parenthesis that is closed
// within it.
func (g group) openedAt(s string) int {
	if g.start > 0 && s[g.start-1] == '(' && g.seen[closing] {
		return g.start - 1
	}
	return g.start
}

// digitAt returns the length of a digit of any script, 0 for other characters.
func digitAt(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] < utf8.RuneSelf:
		if '0' <= s[i] && s[i] <= '9' {
			return 1
		}
		return 0
	}
	if r, width := utf8.DecodeRuneInString(s[i:]); unicode.Is(unicode.Nd, r) {
		return width
	}
	return 0
}

func plusAt(s string) int {
	switch {
	case s[0] == '+':
		return 1
	case isHex(s, 1, '+') && s[0] == '%', strings.HasPrefix(s, "＋"), strings.HasPrefix(s, "﹢"):
		return 3
	}
	return 0
}

// skipGap returns where the separators at i end, and which kinds there are.
func skipGap(s string, i int) (end int, kinds [5]bool) {
	for range maxGap {
		width, kind := separatorAt(s[i:])
		if width == 0 {
			break
		}
		kinds[kind] = true
		i += width
	}
	return i, kinds
}

func separatorAt(s string) (width int, kind separator) {
	if s == "" {
		return 0, other
	}
	r, width := rune(s[0]), 1
	switch {
	case isWordByte(s[0]):
		return 0, other
	case s[0] >= utf8.RuneSelf:
		r, width = utf8.DecodeRuneInString(s)
	case s[0] == '%' && len(s) > 2 && s[1] == '2' && hexDigit(s[2]) >= 0:
		r, width = rune(0x20+hexDigit(s[2])), 3
	}
	switch {
	case r == ' ':
		return width, other
	case r == ')' || r == '）':
		return width, closing
	case unicode.Is(unicode.Pd, r) || r == '−' || r == 'ー':
		return width, dash
	case r == '.' || r == '．':
		return width, dot
	case unicode.In(r, unicode.Cc, unicode.Cf):
		return width, unseen
	case strings.ContainsRune("([]/_~（［］／∼～⁓·•・‧∙⋅", r), unicode.In(r, unicode.Zs, unicode.M):
		return width, other
	}
	return 0, other
}
