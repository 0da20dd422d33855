// Package phone knows telephone numbers: which of them the platform can dial,
// and how they go over the wire. It is the only importer of phonenumbers.
package phone

import (
	"errors"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

// ErrNoCountryCode: the number has no country code and there is no default
// region to take it from.
var ErrNoCountryCode = errors.New("has no country code")

// ErrImpossible: no number of this length or form exists.
var ErrImpossible = errors.New("is not a possible telephone number")

// ErrNotPlain: the number has letters or an extension, which the platform
// cannot dial.
var ErrNotPlain = errors.New("has letters or an extension")

// IsRegion reports whether region is an ISO 3166 region that has telephone
// numbers, such as "US".
func IsRegion(region string) bool {
	return phonenumbers.GetCountryCodeForRegion(region) != 0
}

// Dialable returns number as it goes over the wire. A number with a country
// code is returned as it was written; one without is taken to be of region and
// returned as E.164. An empty region means that there is no default. Whether
// the number is in service, or its exchange exists, is not judged.
//
// No error says the number, so that it can be shown and logged.
func Dialable(number, region string) (string, error) {
	if !isPlain(number) {
		return "", ErrNotPlain
	}
	hasCountryCode := startsWithPlus(number)
	if !hasCountryCode && region == "" {
		return "", ErrNoCountryCode
	}
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil {
		return "", ErrImpossible
	}
	switch phonenumbers.IsPossibleNumberWithReason(parsed) {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		// Without its area code E.164 would make another number of it.
		if !hasCountryCode {
			return "", ErrImpossible
		}
	default:
		return "", ErrImpossible
	}
	if hasCountryCode {
		return number, nil
	}
	return phonenumbers.Format(parsed, phonenumbers.E164), nil
}

// isPlain reports whether number is made of digits and of what people write
// between them. Anything else phonenumbers would silently turn into digits
// (letters) or drop (extensions, pauses).
func isPlain(number string) bool {
	return !strings.ContainsFunc(number, func(r rune) bool {
		isSeparator := unicode.In(r, unicode.Zs, unicode.Pd, unicode.Ps, unicode.Pe) || strings.ContainsRune("+＋./−", r)
		return !isSeparator && !unicode.IsDigit(r)
	})
}

func startsWithPlus(number string) bool {
	first := strings.IndexFunc(number, func(r rune) bool {
		return r == '+' || r == '＋' || unicode.IsDigit(r)
	})
	return first >= 0 && !unicode.IsDigit([]rune(number[first:])[0])
}
