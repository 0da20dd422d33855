package callstest

import (
	"strings"
	"testing"
)

func TestDialable(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]bool{
		"+1 859-657-9625":                 true, // documented, like the next four
		"+1 205-123-4567":                 true,
		"+1 760-867-5309":                 true,
		"+82-10-6861-2345":                true,
		"+1 999-657-12":                   false,
		"+18596579625":                    true,
		"+442079460958":                   true,
		"+49 30/123456":                   true,
		"+1 (859) 657.9625":               true,
		"+80012345678":                    true,
		"+6834002":                        true,
		"123123":                          false,
		"18596579625":                     false,
		"0049 30 123456":                  false,
		"+":                               false,
		"+1":                              false,
		"++18596579625":                   false,
		"+1 859-657-9625+":                false,
		"+0018596579625":                  false,
		"+2101234567":                     false, // no such country code
		"+9991234567":                     false,
		"+49112":                          false,
		"+15550123":                       false,
		"+185965796251":                   false,
		"+491234567890123":                true,
		"+4912345678901234":               false,
		"+1 859-FLOWERS":                  false,
		"+1 859-657-9625 x12":             false,
		"+1 859-657\x009625":              false,
		"＋１８５９６５７９６２５":                    false,
		"tel:+18596579625":                false,
		"":                                false,
		"+1" + strings.Repeat("0", 15000): false,
	} {
		if got := dialable(number); got != want {
			t.Errorf("dialable(%.40q) is %v", number, got)
		}
	}
}
