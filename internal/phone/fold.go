package phone

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers/v2"
)

// folded is a number as people see it: ASCII digits, plus signs, spaces, and the
// separators -./().
type folded struct {
	text string // without spaces around it
	// hasPlus reports whether a plus sign stands before the first digit.
	hasPlus bool
	// isVerbatim reports whether the digits and plus signs are those that were
	// written.
	isVerbatim bool
}

// separators are the characters that can stand between the digits of a folded
// number.
const separators = " -./()"

// fold removes from number what nobody sees, and makes one character of those
// that look and mean the same. Characters that do not belong in a number are
// errors: phonenumbers would dial letters and drop extensions.
func fold(number string) (folded, error) {
	subscriber, isURI, err := subscriberOf(strings.Trim(number, " \t"))
	if err != nil {
		return folded{}, err
	}
	f := folded{text: subscriber, isVerbatim: !isURI}
	if strings.ContainsFunc(subscriber, isNotPlainASCII) {
		if err := f.foldRunes(subscriber); err != nil {
			return folded{}, err
		}
	}
	first := strings.IndexAny(f.text, "+0123456789")
	f.hasPlus = first >= 0 && f.text[first] == '+'
	return f, nil
}

// foldRunes sets f.text to the folded form of s.
func (f *folded) foldRunes(s string) error {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf && !isNotPlainASCII(r):
			b.WriteRune(r)
		case isIgnorable(r):
		case unicode.IsDigit(r):
			f.isVerbatim = false
			b.WriteString(phonenumbers.NormalizeDigitsOnly(string(r)))
		default:
			same := separatorLike(r)
			if same == 0 {
				return problemOf(b.String(), s[i:])
			}
			f.isVerbatim = f.isVerbatim && same != '+'
			b.WriteRune(same)
		}
	}
	f.text = strings.Trim(b.String(), " ")
	return nil
}

// dialed returns a plus sign and the digits of f. It is an error if these digits
// in a row are not what was meant.
func (f folded) dialed() (string, error) {
	if err := f.checkTail(); err != nil {
		return "", err
	}
	if f.hasPlus && strings.Trim(f.text[1:], "0123456789") == "" {
		return f.text, nil // it is E.164 already
	}
	var b strings.Builder
	b.Grow(len("+") + len(f.text))
	b.WriteByte('+')
	plusSigns := 0
	for _, c := range []byte(f.text) {
		switch {
		case '0' <= c && c <= '9':
			b.WriteByte(c)
		case c == '+' && b.Len() > len("+"):
			return "", ErrSeveralNumbers
		case c == '+':
			plusSigns++
		}
	}
	if plusSigns > 1 {
		return "", ErrNoCountryCode
	}
	return b.String(), nil
}

// checkTail refuses digits behind the last separator that do not continue those
// before it: the fraction of a quantity, and alternatives to the last digits.
func (f folded) checkTail() error {
	last := strings.LastIndexAny(f.text, separators)
	if last < 0 || last == len(f.text)-1 {
		return nil
	}
	const alternative = 3 // an area code is before a slash, and more digits behind it
	switch tail := f.text[last+1:]; {
	case f.text[last] == '.' && strings.Trim(tail, "0") == "":
		return ErrSpreadsheet
	case f.text[last] == '/' && len(tail) <= alternative:
		return ErrSeveralNumbers
	}
	return nil
}
