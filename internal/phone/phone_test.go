package phone_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"

	"github.com/ccaip-go/calls/internal/phone"
)

// dialableTest is a row of the tests of Dialable. If neither wire nor err is set, wire is
// number.
type dialableTest struct {
	name, number, region string
	wire                 string
	err                  error
}

func TestDialableWithCountryCode(t *testing.T) {
	t.Parallel()
	checkDialable(t, []dialableTest{
		{name: "E.164", number: "+18596579625"},
		{name: "as documented", number: "+1 859-657-9625"},
		{name: "as documented, another country", number: "+82-10-6861-2345"},
		{name: "a possible number without a valid exchange", number: "+1 205-123-4567"},
		{name: "parentheses and dots", number: "+1 (859) 657.9625"},
		{name: "a slash after the area code", number: "+49 30/123456"},
		{name: "an international number", number: "+800 1234 5678"},
		{name: "a satellite number", number: "+870 773 111 632"},
		{name: "an Italian zero", number: "+39 02 1234 5678"},
		{name: "an Ivorian zero", number: "+225 01 23 45 6789"},
		{name: "an Argentine mobile", number: "+54 9 11 2345-6789"},
		{name: "a number of all of Canada, which has no area code", number: "+1 310-1234"},
		{name: "a number of four digits", number: "+683 4002"},
		{name: "a region changes nothing", number: "+82-10-6861-2345", region: "US"},
		{name: "space around it", number: " +1 859 657 9625\t", wire: "+1 859 657 9625"},
		{name: "parentheses around the code", number: "(+1) 859-657-9625", wire: "+18596579625"},
		{name: "a trunk prefix in parentheses", number: "+44 (0)20 7946 0958", wire: "+442079460958"},
		{name: "a trunk prefix of another digit", number: "+7 8 495 123-45-67", wire: "+74951234567"},
		{name: "a trunk prefix in the plan where it is the code", number: "+1 1 205-123-4567", wire: "+12051234567"},
		{name: "an Argentine 15", number: "+54 11 15 2345-6789", wire: "+5491123456789"},

		{name: "an empty number", err: phone.ErrNoCountryCode},
		{name: "no code and no region", number: "123123", err: phone.ErrNoCountryCode},
		{name: "a complete number without a code", number: "859-657-9625", err: phone.ErrNoCountryCode},
		{name: "zeros without a region", number: "00 44 20 7946 0958", err: phone.ErrNoCountryCode},
		{name: "only a plus", number: "+", err: phone.ErrNoCountryCode},
		{name: "a plus and zeros", number: "+00 44 20 7946 0958", err: phone.ErrNoCountryCode},
		{name: "a plus and zeros, with a region", number: "+0044 20 7946 0958", region: "GB", err: phone.ErrNoCountryCode},
		{name: "a plus and a zero", number: "+0 20 7946 0958", region: "GB", err: phone.ErrNoCountryCode},
		{name: "two plus signs", number: "++44 20 7946 0958", err: phone.ErrNoCountryCode},
		{name: "two plus signs, with a region", number: "+ (+44) 20 7946 0958", region: "GB", err: phone.ErrNoCountryCode},
		{name: "no such code", number: "+999 1234567", err: phone.ErrUnknownCountryCode},
		{name: "no such code, with a region where the rest is a number", number: "+999 123 4567", region: "US", err: phone.ErrUnknownCountryCode},
		{name: "too short", number: "+1 999-657-12", err: phone.ErrImpossible},
		{name: "too long", number: "+1 859-657-96251234", err: phone.ErrImpossible},
		{name: "longer than E.164", number: "+49 181 6413 5852 927", err: phone.ErrImpossible},
		{name: "thousands of zeros", number: "+1" + strings.Repeat("0", 15_000), err: phone.ErrImpossible},
		{name: "hundreds of zeros", number: "+1" + strings.Repeat("0", 240), err: phone.ErrImpossible},
		{name: "an emergency number", number: "+49112", err: phone.ErrLocalOnly},
		{name: "without its area code", number: "+1 555-0123", err: phone.ErrLocalOnly},
		{name: "a short code of six digits", number: "+49 116117", err: phone.ErrLocalOnly},
		{name: "a short code that is as long as a number", number: "+595 200000", err: phone.ErrLocalOnly},
		{name: "a local number that could be completed", number: "+378 886377", err: phone.ErrLocalOnly},
		{name: "Mexico's old mobile prefix", number: "+52 1 55 1234 5678", err: phone.ErrDroppedPrefix},
		{name: "Mexico's old prefix for mobiles in the country", number: "+52 044 55 1234 5678", err: phone.ErrDroppedPrefix},
		{name: "a trunk zero of a plan without one", number: "+352 (0)26 12 34 56", err: phone.ErrTrunkPrefix},
		{name: "a trunk prefix before an invalid number", number: "+44 (0)99 9999 9999", err: phone.ErrNotValid},
		{name: "two numbers", number: "+1 859-657-9625/+1 339-219-5276", err: phone.ErrSeveralNumbers},
		{name: "a plus in the middle", number: "1+8596579625", err: phone.ErrSeveralNumbers},
		{name: "alternative last digits", number: "+49 30 123456/57", err: phone.ErrSeveralNumbers},
	})
}

func TestDialableWithRegion(t *testing.T) {
	t.Parallel()
	checkDialable(t, []dialableTest{
		{name: "a region gives the code", number: "859-657-9625", region: "US", wire: "+18596579625"},
		{name: "a possible number of the North American plan", number: "(205) 123-4567", region: "CA", wire: "+12051234567"},
		{name: "the trunk prefix is dropped", number: "010-6861-2345", region: "KR", wire: "+821068612345"},
		{name: "an Italian zero is kept", number: "02 1234 5678", region: "IT", wire: "+390212345678"},
		{name: "an Italian mobile that begins with the country code", number: "391 234 5678", region: "IT", wire: "+393912345678"},
		{name: "a carrier code is dropped", number: "0 15 11 98765-4321", region: "BR", wire: "+5511987654321"},
		{name: "the country code without a plus", number: "18596579625", region: "US", wire: "+18596579625"},
		{name: "the country code without a plus, in one way only", number: "74951234567", region: "RU", wire: "+74951234567"},
		{name: "the international prefix of the region", number: "011 49 30 123456", region: "US", wire: "+4930123456"},
		{name: "zeros where they are the prefix", number: "0049 30 123456", region: "DE", wire: "+4930123456"},
		{name: "zeros where longer prefixes exist, too", number: "00971 50 123 4567", region: "HK", wire: "+971501234567"},

		{name: "an empty number", region: "US", err: phone.ErrImpossible},
		{name: "too short for the region", number: "123123", region: "US", err: phone.ErrImpossible},
		{name: "an emergency number", number: "911", region: "US", err: phone.ErrImpossible},
		{name: "another emergency number", number: "112", region: "DE", err: phone.ErrLocalOnly},
		{name: "a number of all of Canada, without the code", number: "310-1234", region: "CA", err: phone.ErrLocalOnly},
		{name: "without its area code", number: "657-9625", region: "US", err: phone.ErrLocalOnly},
		{name: "without the only area code there is", number: "356-1234", region: "BS", err: phone.ErrLocalOnly},
		{name: "without an area code that could be added", number: "2212345", region: "MG", err: phone.ErrLocalOnly},
		{name: "ten digits that begin with one", number: "123-456-7890", region: "US", err: phone.ErrNotValidForRegion},
		{name: "possible, but not valid", number: "0999 1234567", region: "GB", err: phone.ErrNotValidForRegion},
		{name: "valid in another region of the code only", number: "07624 123456", region: "GB", err: phone.ErrNotValidForRegion},
		{name: "with or without its country code", number: "4915123456789", region: "DE", err: phone.ErrMaybeCountryCode},
		{name: "with or without its country code, not valid with it", number: "491 1234567", region: "DE", err: phone.ErrMaybeCountryCode},
		{name: "with or without its country code, in Italy", number: "390612345", region: "IT", err: phone.ErrMaybeCountryCode},
		{name: "a number that begins with the trunk prefix", number: "810 000 0000", region: "BY", err: phone.ErrNotValidForRegion},
		{name: "the same after the trunk prefix of other countries", number: "08100000000", region: "BY", err: phone.ErrNotValid},
		{name: "zeros that the region does not use", number: "0061 412 345 678", region: "AU", err: phone.ErrInternationalPrefix},
		{name: "zeros in Japan", number: "0044 20 7946 0958", region: "JP", err: phone.ErrInternationalPrefix},
		{name: "zeros that begin a longer prefix", number: "0042 079 460 958", region: "SG", err: phone.ErrInternationalPrefix},
		{name: "zeros before an invalid number", number: "00 44 99 9999 9999", region: "DE", err: phone.ErrInternationalPrefix},
		{name: "the prefix of another region", number: "011 44 20 7946 0958", region: "DE", err: phone.ErrInternationalPrefix},
		{name: "Mexico's old prefix in the country", number: "044 55 1234 5678", region: "MX", err: phone.ErrDroppedPrefix},
		{name: "Mexico's old mobile prefix without a plus", number: "52 1 55 1234 5678", region: "MX", err: phone.ErrDroppedPrefix},
	})
}

func checkDialable(t *testing.T, tests []dialableTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.wire == "" && test.err == nil {
				test.wire = test.number
			}
			got, err := phone.Dialable(test.number, test.region)
			if got.Wire != test.wire || !errors.Is(err, test.err) {
				t.Errorf("Dialable(%.40q, %q) is %+v, %v, want %q, %v", test.number, test.region, got, err, test.wire, test.err)
			}
			if digits := digitsOf(got.Wire); err == nil && got.E164 != "+"+digits {
				t.Errorf("the digits of %s are not those of %s", got.Wire, got.E164)
			}
			if err != nil && digitsOf(test.number) != "" && strings.Contains(digitsOf(err.Error()), digitsOf(test.number)) {
				t.Errorf("%v shows the number", err)
			}
		})
	}
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
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

// FuzzDialable checks that what is sent parses as the number that was accepted, by
// phonenumbers and by this package.
func FuzzDialable(f *testing.F) {
	for _, number := range []string{
		"+1 859-657-9625", "859-657-9625", "123123", "+1 999-657-12", "+82-10-6861-2345", "(+1) 859", "0049 30 123456",
		"＋１８５９６５７９６２５", "859-657-9625 x12", "859-657-9625~12", "+", "", "\xff", "tel:+1-859-657-9625;ext=1", "911",
		"+800 1234 5678", "+44 (0)20 7946 0958", "+7 8 495 123 45 67", "++44", "+0044", "4915123456789", "0097150", "1711234567.0",
		"1.7E+9", "\u202d+33 6 12 34 56 78\u202c", "０３ー１２３４ー５６７８", "+375 8 107 802 447", "+52 1 55 1234 5678",
	} {
		for _, region := range []string{"", "US", "DE", "IT", "BY"} {
			f.Add(number, region)
		}
	}
	f.Fuzz(func(t *testing.T, number, region string) {
		if region != "" && !phone.IsRegion(region) {
			region = "US"
		}
		got, err := phone.Dialable(number, region)
		if err != nil {
			if got != (phone.Number{}) {
				t.Errorf("Dialable(%q, %q) is %+v and the error %v", number, region, got, err)
			}
			return
		}
		if got.E164 != "+"+digitsOf(got.Wire) || got.Wire[0] != '+' || strings.Trim(got.Wire, "+0123456789 -./()") != "" {
			t.Errorf("Dialable(%q, %q) is %+v", number, region, got)
		}
		parsed, err := phonenumbers.Parse(got.Wire, "")
		if err != nil || phonenumbers.Format(parsed, phonenumbers.E164) != got.E164 {
			t.Errorf("%q of %q is sent as %q, which phonenumbers reads as %v, %v", number, region, got.Wire, parsed, err)
		}
		if again, err := phone.Dialable(got.Wire, region); err != nil || again != got {
			t.Errorf("%q of %q is sent as %q, which is not dialable itself: %+v, %v", number, region, got.Wire, again, err)
		}
	})
}

func BenchmarkDialable(b *testing.B) {
	for _, test := range []struct{ name, number, region string }{
		{"E164", "+18596579625", ""},
		{"documented", "+1 859-657-9625", ""},
		{"national", "030 123456", "DE"},
		{"wide", "＋１８５９６５７９６２５", ""},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := phone.Dialable(test.number, test.region); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(test.name+"/phonenumbers", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parsed, err := phonenumbers.Parse(test.number, test.region)
				if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
					b.Fatal(err)
				}
				if test.region != "" && !phonenumbers.IsValidNumberForRegion(parsed, test.region) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
