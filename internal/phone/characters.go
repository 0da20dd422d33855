package phone

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// extension matches what begins an extension, and its digits. The labels are
// those that phonenumbers knows. It is compiled when the first number needs it, not in
// every program that imports this.
var extension = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?i:e?xt(?:ensi(?:o\x{301}?|ó)n?)?n?|ｅ?ｘｔｎ?|[xｘ]|int|ｉｎｔ|доб|anexo|;ext=|[#＃,;~～]+)[\s\p{Z}\p{P}]*\p{Nd}{1,20}#?[\s\p{Z}]*$`)
})

// quantity matches the end of a number in scientific notation, and of one with a
// decimal comma and zeros.
var quantity = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(?:,\d+)?[eE][+-]?\d+|,0+)$`)
})

// isNotPlainASCII reports whether r is not a character of a folded number.
func isNotPlainASCII(r rune) bool {
	return (r < '0' || r > '9') && r != '+' && !strings.ContainsRune(separators, r)
}

// isIgnorable reports whether nothing is seen of r: direction marks, soft
// hyphens, joiners, variation selectors.
func isIgnorable(r rune) bool {
	if unicode.Is(unicode.Prepended_Concatenation_Mark, r) || r >= 0xFFF9 && r <= 0xFFFB {
		return false // visible, although of the category Cf
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// separatorLike returns the plus sign or separator that r looks like and stands
// for, or 0 if there is none.
func separatorLike(r rune) rune {
	switch {
	case r == '＋' || r == '﹢':
		return '+'
	case r == '\t' || unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.Pd, r) || strings.ContainsRune("−ーｰ⁃", r):
		return '-'
	case strings.ContainsRune("．·‧∙•・･", r):
		return '.'
	case strings.ContainsRune("／⁄∕", r):
		return '/'
	case unicode.Is(unicode.Quotation_Mark, r):
		return 0
	case unicode.Is(unicode.Ps, r):
		return '('
	case unicode.Is(unicode.Pe, r):
		return ')'
	}
	return 0
}

// problemOf returns why a number is refused whose folded beginning is before,
// and whose rest begins with a character that does not belong in a number.
func problemOf(before, rest string) error {
	isAfterDigits := strings.ContainsAny(before, "0123456789")
	switch {
	case !utf8.ValidString(rest):
		return ErrNotPlainText
	case isAfterDigits && quantity().MatchString(strings.TrimRight(rest, " ")):
		return ErrSpreadsheet
	case isAfterDigits && extension().MatchString(rest):
		return ErrExtension
	case strings.ContainsFunc(rest, unicode.IsLetter):
		return ErrLetters
	}
	return ErrNotPlainText
}
