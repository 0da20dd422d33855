package phone

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
)

const northAmerica = 1 // the country code of the North American Numbering Plan

// reading is what phonenumbers makes of a plus sign and digits.
type reading struct {
	number   *phonenumbers.PhoneNumber
	written  string // what was read
	code     string // the country code
	national string // the digits behind it, as dialed
}

// read reads written, which is a plus sign and ASCII digits.
func read(written string) (reading, error) {
	if len(written) == 1 || written[1] == '0' {
		return reading{}, ErrNoCountryCode
	}
	if len(written) > maxWritten {
		return reading{}, ErrImpossible
	}
	number, err := phonenumbers.Parse(written, "")
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return reading{}, ErrUnknownCountryCode
	case err != nil:
		return reading{}, ErrImpossible
	}
	return reading{
		number:   number,
		written:  written,
		code:     strconv.Itoa(int(number.GetCountryCode())),
		national: phonenumbers.GetNationalSignificantNumber(number),
	}, nil
}

func (r reading) e164() string {
	if !r.isRewritten() {
		return r.written
	}
	return "+" + r.code + r.national
}

// isRewritten reports whether digits were written that are not dialed.
func (r reading) isRewritten() bool { return r.written[1+len(r.code):] != r.national }

// digits returns the number of digits that are dialed.
func (r reading) digits() int { return len(r.code) + len(r.national) }

// check returns nil if a number of this length, area code included, can exist,
// and is read as itself again.
func (r reading) check() error {
	switch length := phonenumbers.IsPossibleNumberWithReason(r.number); {
	case length == phonenumbers.IS_POSSIBLE_LOCAL_ONLY,
		r.digits() >= len(r.written): // phonenumbers has added the area code
		return ErrLocalOnly
	case r.hasDroppedPrefix():
		return ErrDroppedPrefix
	case length != phonenumbers.IS_POSSIBLE || r.digits() > maxDigits:
		return ErrImpossible
	case !r.isStable():
		return ErrNotValid
	}
	return nil
}

// isStable reports whether the E.164 form is read as the same number. A few
// numbers begin with their country's trunk prefix, and phonenumbers drops that
// from them.
func (r reading) isStable() bool {
	if !r.isRewritten() {
		return true
	}
	region := phonenumbers.GetRegionCodeForCountryCode(int(r.number.GetCountryCode()))
	trunkPrefix := phonenumbers.GetNddPrefixForRegion(region, true)
	if trunkPrefix == "" || !strings.HasPrefix(r.national, trunkPrefix) {
		return true
	}
	again, err := read(r.e164())
	return err == nil && !again.isRewritten()
}

// hasDroppedPrefix reports whether the number has one of the prefixes that
// Mexico used until 2019, before ten digits.
func (r reading) hasDroppedPrefix() bool {
	const mexico, length = "52", 10
	if r.code != mexico || len(r.national) <= length {
		return false
	}
	prefix := r.national[:len(r.national)-length]
	return slices.Contains([]string{"1", "01", "044", "045"}, prefix)
}

// isValid reports whether r is a valid number, or one whose length is proof
// enough: in the North American Numbering Plan all have the same.
func (r reading) isValid() bool {
	return r.hasAreaCode() || phonenumbers.IsValidNumber(r.number)
}

// hasAreaCode reports whether r has an area code of the North American Numbering
// Plan. None begins with 0 or 1.
func (r reading) hasAreaCode() bool {
	return r.number.GetCountryCode() == northAmerica && r.national[0] >= '2'
}

// international returns the E.164 form of written, which is a plus sign and
// digits.
func international(written string) (string, error) {
	// The shortest numbers, and those with a zero behind the country code, are
	// valid or a mistake: a short code, a trunk prefix.
	const shortest = 6
	r, err := read(written)
	if err != nil {
		return "", err
	}
	problem := r.check()
	if errors.Is(problem, ErrLocalOnly) && !r.isRewritten() && phonenumbers.IsValidNumber(r.number) {
		problem = nil // a few numbers of a whole country have no area code
	}
	switch {
	case problem != nil:
		return "", problem
	case !r.isRewritten() && len(r.national) > shortest && r.national[0] != '0', r.isValid():
		return r.e164(), nil
	case r.isRewritten():
		return "", ErrNotValid
	case r.national[0] == '0':
		return "", ErrTrunkPrefix
	}
	return "", ErrLocalOnly
}

// national returns the E.164 form of digits that were written without a plus
// sign. They are read in every way that a person in region can have meant them,
// and all ways must lead to one number.
func national(digits, region string) (string, error) {
	code := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
	inRegion, problem := readInRegion(digits, code, region)
	abroad, err := readAbroad(digits, region)
	switch {
	case err != nil:
		return "", err
	case len(abroad) > 0:
		return onlyOne(append(abroad, inRegion), ErrInternationalPrefix)
	case inRegion == "+"+digits || !strings.HasPrefix(digits, code):
		return inRegion, problem
	}
	withCode, err := readWithCode(digits, region, inRegion != "")
	switch {
	case errors.Is(err, ErrDroppedPrefix):
		return "", err
	case err != nil:
		return inRegion, problem
	}
	return onlyOne([]string{withCode, inRegion}, ErrMaybeCountryCode)
}

// onlyOne returns the one number in readings, those that are empty aside. The
// error is problem if they are several.
func onlyOne(readings []string, problem error) (string, error) {
	readings = slices.DeleteFunc(readings, func(e164 string) bool { return e164 == "" })
	slices.Sort(readings)
	if readings = slices.Compact(readings); len(readings) != 1 {
		return "", problem
	}
	return readings[0], nil
}

// readInRegion reads digits as a number of region without its country code.
func readInRegion(digits, code, region string) (string, error) {
	r, err := read("+" + code + digits)
	if err == nil {
		err = r.check()
	}
	switch {
	case err != nil && beginsLikePrefix(digits):
		return "", ErrInternationalPrefix
	case err != nil:
		return "", err
	case r.hasAreaCode() || phonenumbers.IsValidNumberForRegion(r.number, region):
		return r.e164(), nil
	case beginsLikePrefix(digits):
		return "", ErrInternationalPrefix
	}
	return "", ErrNotValidForRegion
}

// readWithCode reads digits as a number of region with its country code. If they
// are a number of region without it, too, a possible number counts as much as a
// valid one, unless the region has no trunk prefix: there whole ranges of
// numbers begin with digits like its country code.
func readWithCode(digits, region string, isInRegion bool) (string, error) {
	r, err := read("+" + digits)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return "", err
	}
	hasTrunkPrefix := phonenumbers.GetNddPrefixForRegion(region, true) != ""
	if r.isValid() || isInRegion && hasTrunkPrefix {
		return r.e164(), nil
	}
	return "", ErrNotValid
}
