package phone_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ccaip-go/calls/internal/phone"
)

func TestDialable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, number, region string
		want                 string // the same as number if empty
		err                  error
	}{
		{name: "E.164", number: "+18596579625"},
		{name: "as the documents write them", number: "+1 859-657-9625"},
		{name: "a possible number without a valid exchange", number: "+1 205-123-4567"},
		{name: "another country", number: "+82-10-6861-2345"},
		{name: "brackets and dots", number: "+1 (859) 657.9625"},
		{name: "a bracket before the plus", number: "(+1) 859-657-9625"},
		{name: "minus signs", number: "+1 859−657−9625"},
		{name: "slashes", number: "+49 30/123456"},
		{name: "a wide plus and wide digits", number: "＋１８５９６５７９６２５"},
		{name: "space around it", number: " +1 859 657 9625 "},
		{name: "a number of no country", number: "+800 1234 5678"},
		{name: "a region changes nothing of a number with a country code", number: "+82-10-6861-2345", region: "US"},

		{name: "a region gives a country code", number: "859-657-9625", region: "US", want: "+18596579625"},
		{name: "the trunk prefix is dropped", number: "010-6861-2345", region: "KR", want: "+821068612345"},
		{name: "an Italian zero is kept", number: "02 1234 5678", region: "IT", want: "+390212345678"},
		{name: "the country code without a plus", number: "18596579625", region: "US", want: "+18596579625"},
		{name: "the international prefix of the region", number: "011 49 30 123456", region: "US", want: "+4930123456"},
		{name: "another international prefix", number: "0049 30 123456", region: "DE", want: "+4930123456"},
		{name: "wide digits", number: "８５９６５７９６２５", region: "US", want: "+18596579625"},

		{name: "nothing", number: "", err: phone.ErrNoCountryCode},
		{name: "no country code and no region", number: "123123", err: phone.ErrNoCountryCode},
		{name: "a whole number, but no country code", number: "859-657-9625", err: phone.ErrNoCountryCode},
		{name: "nothing, with a region", number: "", region: "US", err: phone.ErrImpossible},
		{name: "too short", number: "+1 999-657-12", err: phone.ErrImpossible},
		{name: "too long", number: "+1 859-657-96251234", err: phone.ErrImpossible},
		{name: "no such country code", number: "+999 1234567", err: phone.ErrImpossible},
		{name: "only a plus", number: "+", err: phone.ErrImpossible},
		{name: "a plus in the middle", number: "1+8596579625", region: "US", err: phone.ErrImpossible},
		{name: "two numbers", number: "+1 859-657-9625/+1 339-219-5276", err: phone.ErrImpossible},
		{name: "without its area code", number: "657-9625", region: "US", err: phone.ErrImpossible},
		{name: "an emergency number", number: "911", region: "US", err: phone.ErrImpossible},
		{name: "too short for its region", number: "123123", region: "US", err: phone.ErrImpossible},

		{name: "letters", number: "+1 859-FLOWERS", err: phone.ErrNotPlain},
		{name: "letters in front", number: "tel:+18596579625", err: phone.ErrNotPlain},
		{name: "letters of another script", number: "+1 859-657-9625 доб. 12", err: phone.ErrNotPlain},
		{name: "wide letters", number: "+1 859-657-9625 ｘ12", err: phone.ErrNotPlain},
		{name: "a word", number: "abcde10", region: "US", err: phone.ErrNotPlain},
		{name: "an extension", number: "859-657-9625 ext. 12", region: "US", err: phone.ErrNotPlain},
		{name: "an extension by x", number: "+1 859-657-9625x12", err: phone.ErrNotPlain},
		{name: "an extension by #", number: "859-657-9625 #12", region: "US", err: phone.ErrNotPlain},
		{name: "an extension by a pause", number: "+1 859-657-9625,,12", err: phone.ErrNotPlain},
		{name: "an extension of a URI", number: "+1-859-657-9625;12", err: phone.ErrNotPlain},
		{name: "an extension by a tilde", number: "859-657-9625~12", region: "US", err: phone.ErrNotPlain},
		{name: "an extension by a wide tilde", number: "859-657-9625 ～12", region: "US", err: phone.ErrNotPlain},
		{name: "an extension by a wide #", number: "859-657-9625＃12", region: "US", err: phone.ErrNotPlain},
		{name: "an extension by a tilde, with a country code", number: "+1 859-657-9625~12", err: phone.ErrNotPlain},
		{name: "a star code", number: "*67 859-657-9625", region: "US", err: phone.ErrNotPlain},
		{name: "a line break", number: "+1 859-657-9625\n", err: phone.ErrNotPlain},
		{name: "a NUL", number: "+1 859-657\x00-9625", err: phone.ErrNotPlain},
		{name: "an address", number: "18596579625@example.com", region: "US", err: phone.ErrNotPlain},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.want == "" && test.err == nil {
				test.want = test.number
			}
			got, err := phone.Dialable(test.number, test.region)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("Dialable(%q, %q) is %q, %v, want %q, %v", test.number, test.region, got, err, test.want, test.err)
			}
		})
	}
}

func TestIsRegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]bool{
		"US": true, "GB": true, "KR": true, "VA": true,
		"": false, "us": false, "UK": false, "ZZ": false, "USA": false, "001": false, "+1": false, " US": false,
	} {
		if got := phone.IsRegion(region); got != want {
			t.Errorf("IsRegion(%q) is %v", region, got)
		}
	}
}

// What is refused is refused without a word of what it was.
func TestErrorsDoNotShowTheNumber(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"123123", "+1 999-657-12", "859-657-9625 x12"} {
		if _, err := phone.Dialable(number, ""); err == nil || strings.ContainsAny(err.Error(), "0123456789") {
			t.Errorf("error %v of %s", err, number)
		}
	}
}

func FuzzDialable(f *testing.F) {
	for _, number := range []string{
		"+1 859-657-9625", "859-657-9625", "123123", "+1 999-657-12", "+82-10-6861-2345", "(+1) 859", "0049 30 123456",
		"＋１８５９６５７９６２５", "859-657-9625 x12", "859-657-9625~12", "+", "", "\xff", "tel:+1", "911", "+800 1234 5678",
	} {
		for _, region := range []string{"", "US", "DE", "IT"} {
			f.Add(number, region)
		}
	}
	f.Fuzz(func(t *testing.T, number, region string) {
		if region != "" && !phone.IsRegion(region) {
			region = "US"
		}
		got, err := phone.Dialable(number, region)
		if err != nil {
			if got != "" {
				t.Errorf("Dialable(%q, %q) is %q and the error %v", number, region, got, err)
			}
			return
		}
		if got == number {
			return
		}
		if region == "" {
			t.Errorf("without a region %q has become %q", number, got)
		}
		digits, hasPlus := strings.CutPrefix(got, "+")
		if !hasPlus || digits == "" || strings.Trim(digits, "0123456789") != "" {
			t.Errorf("Dialable(%q, %q) is %q, which is neither as written nor E.164", number, region, got)
		}
		// A number keeps its end, whatever is put before it: what is missing there
		// was an extension. (The digits of other scripts become others.)
		isASCII := utf8.RuneCountInString(number) == len(number)
		written := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, number)
		if isASCII && !strings.HasSuffix(written, got[max(1, len(got)-4):]) {
			t.Errorf("Dialable(%q, %q) is %q, which ends in another way", number, region, got)
		}
		if again, err := phone.Dialable(got, region); err != nil || again != got {
			t.Errorf("%q of %q is not dialable itself: %q, %v", got, number, again, err)
		}
	})
}
