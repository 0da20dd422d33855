package phone

import (
	"regexp"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers/v2"
	"github.com/nyaruka/phonenumbers/v2/metadata"
)

// zeros is the international prefix of most regions.
const zeros = "00"

// internationalPrefixes returns the prefix of each region. They match the
// longest prefix that there is.
var internationalPrefixes = sync.OnceValue(func() map[string]*regexp.Regexp {
	byPattern := map[string]*regexp.Regexp{} // most regions have the same
	byRegion := map[string]*regexp.Regexp{}
	for region := range phonenumbers.GetSupportedRegions() {
		of, _ := metadata.RegionMetadata(region)
		pattern := "^(?:" + of.GetInternationalPrefix() + ")"
		if byPattern[pattern] == nil {
			byPattern[pattern] = regexp.MustCompile(pattern)
			byPattern[pattern].Longest()
		}
		byRegion[region] = byPattern[pattern]
	}
	return byRegion
})

// readAbroad reads digits as an international prefix of region and a number
// behind it. It returns every valid number that there can be, since the prefixes
// of a region can have different lengths. The error is ErrInternationalPrefix if
// a valid number is behind zeros that are not a prefix of region.
func readAbroad(digits, region string) ([]string, error) {
	prefix := internationalPrefixes()[region]
	isForeign := strings.HasPrefix(digits, zeros) && prefix.FindString(zeros) != zeros
	if isForeign && validAbroad(digits[len(zeros):]) != "" {
		return nil, ErrInternationalPrefix
	}
	var numbers []string
	for length := 1; length <= len(prefix.FindString(digits)); length++ {
		if len(prefix.FindString(digits[:length])) != length {
			continue
		}
		if number := validAbroad(digits[length:]); number != "" {
			numbers = append(numbers, number)
		}
	}
	return numbers, nil
}

// validAbroad returns the E.164 form of digits that begin with a country code,
// or "" if that is not a valid number.
func validAbroad(digits string) string {
	r, err := read("+" + digits)
	if err != nil || r.check() != nil || !phonenumbers.IsValidNumber(r.number) {
		return ""
	}
	return r.e164()
}

// beginsLikePrefix reports whether digits begin with one of the two prefixes
// that most people know.
func beginsLikePrefix(digits string) bool {
	return strings.HasPrefix(digits, zeros) || strings.HasPrefix(digits, "011")
}
