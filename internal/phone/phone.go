// Package phone decides which telephone numbers can be dialed and how they are
// sent. It is the only importer of phonenumbers.
//
// A number that is dialed wrongly rings a stranger, so a number is refused
// unless it can be read in one way only.
package phone

import (
	"errors"

	"github.com/nyaruka/phonenumbers/v2"
)

// The reasons for which a number is refused. Each is a predicate of the number
// ("has no country code") and never shows the number, so it can be logged.
var (
	// ErrNoCountryCode means that the number has no country code and there is no
	// default region to take it from, or that zeros or several plus signs stand
	// where the country code must be.
	ErrNoCountryCode = errors.New("has no country code")
	// ErrUnknownCountryCode means that no country has the code after the plus sign.
	ErrUnknownCountryCode = errors.New("has a country code that does not exist")
	// ErrMaybeCountryCode means that the digits begin with the country code of
	// the default region and are a number both with and without it.
	ErrMaybeCountryCode = errors.New("may or may not begin with its country code: write + before a country code")
	// ErrInternationalPrefix means that the number begins with an international
	// prefix that the default region does not use, or that leads to no number,
	// or to more than one.
	ErrInternationalPrefix = errors.New("has an international prefix that is not certain: write + and the country code instead")
	// ErrDroppedPrefix means that the number has a prefix that its country once
	// used and no longer does.
	ErrDroppedPrefix = errors.New(`has a prefix of Mexico that was dropped ("1", "01", "044" or "045"): leave it out`)
	// ErrTrunkPrefix means that a zero follows the country code that is not part
	// of the number.
	ErrTrunkPrefix = errors.New(`has the trunk prefix "0" after its country code, where it does not belong`)
	// ErrImpossible means that no number has this length.
	ErrImpossible = errors.New("is not a possible telephone number")
	// ErrNotValid means that the number without its trunk prefix is not a number
	// of its country.
	ErrNotValid = errors.New("is not a valid telephone number of its country")
	// ErrNotValidForRegion means that the number has no country code and is not a
	// number of the default region.
	ErrNotValidForRegion = errors.New("is not a valid telephone number of the default region")
	// ErrLocalOnly means that the number has no area code, or is one of those
	// that are dialed within a country only, such as emergency numbers.
	ErrLocalOnly = errors.New("is a local or short number, which cannot be dialed from elsewhere")
	// ErrLetters means that the number has letters.
	ErrLetters = errors.New("has letters")
	// ErrExtension means that the number has an extension, which cannot be dialed.
	ErrExtension = errors.New("has an extension")
	// ErrNotPlainText means that the number has control characters, invalid
	// UTF-8, or other characters that do not belong in a telephone number.
	ErrNotPlainText = errors.New("has characters that do not belong in a telephone number")
	// ErrSpreadsheet means that the number is written as a decimal fraction or in
	// scientific notation.
	ErrSpreadsheet = errors.New("is written as a spreadsheet writes a quantity, with a decimal fraction or an exponent")
	// ErrSeveralNumbers means that the number has a second plus sign behind
	// digits, or alternative last digits behind a slash.
	ErrSeveralNumbers = errors.New("may be more than one number")
	// ErrURIParameter means that a tel URI has a parameter that changes what is
	// dialed.
	ErrURIParameter = errors.New("has a parameter that cannot be dialed")
)

const (
	// maxLength is the most bytes of a number, the separators included. It bounds
	// the work that is done for one.
	maxLength = 250
	// maxDigits is what E.164 allows, the country code included.
	maxDigits = 15
	// maxWritten is the most digits that are read: those of E.164 with an
	// international prefix and a carrier code before them.
	maxWritten = maxDigits + 10
)

// Number is a number that can be dialed, in the two forms that are of use. Both
// have the same digits.
type Number struct {
	// Wire is the number as it is sent: as it was written, or E.164.
	Wire string
	// E164 is the number as a plus sign and digits.
	E164 string
}

// IsRegion reports whether region is an ISO 3166 region that has telephone
// numbers, such as "US".
func IsRegion(region string) bool {
	return phonenumbers.GetCountryCodeForRegion(region) != 0
}

// Dialable returns number as it is sent. A number without a country code is read
// as one of region; an empty region means that there is no default. Any other
// region must satisfy IsRegion.
//
// A number that was written with its country code and without anything that is
// not dialed, such as the 0 of +44 (0)20, keeps its separators. All others
// become E.164. Dialable does not check whether a number is in service. What was
// written with its country code only has to have a length that occurs there.
// What becomes another number by being read has to be a valid one, or in the
// North American Numbering Plan, where all have one length, a possible one.
func Dialable(number, region string) (Number, error) {
	if len(number) > maxLength {
		return Number{}, ErrImpossible
	}
	f, err := fold(number)
	if err != nil {
		return Number{}, err
	}
	written, err := f.dialed()
	if err != nil {
		return Number{}, err
	}
	e164, err := e164Of(written, region, f.hasPlus)
	if err != nil {
		return Number{}, err
	}
	if f.isVerbatim && f.text[0] == '+' && written == e164 {
		return Number{Wire: f.text, E164: e164}, nil
	}
	return Number{Wire: e164, E164: e164}, nil
}

// e164Of returns the E.164 form of written, which is a plus sign and digits. The
// plus sign was not written unless hasPlus.
func e164Of(written, region string, hasPlus bool) (string, error) {
	switch {
	case hasPlus:
		return international(written)
	case region == "":
		return "", ErrNoCountryCode
	case len(written) == 1 || len(written) > maxWritten:
		return "", ErrImpossible
	}
	return national(written[1:], region)
}
