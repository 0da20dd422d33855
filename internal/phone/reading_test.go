package phone_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
	"github.com/nyaruka/phonenumbers/v2/metadata"

	"github.com/ccaip-go/calls/internal/phone"
)

// tally counts the results for numbers that are written in one form.
type tally struct {
	form                  string
	right, refused, wrong atomic.Int64
	leastRight            int64
}

// check counts the result for text, which is the number want in another form.
func (c *tally) check(t *testing.T, text, region, want string) {
	switch got, err := phone.Dialable(text, region); {
	case err != nil:
		c.refused.Add(1)
	case got.E164 == want && "+"+digitsOf(got.Wire) == want:
		c.right.Add(1)
	default:
		c.wrong.Add(1)
		t.Errorf("%s: %s of %s, written %q, is sent as %+v", c.form, want, region, text, got)
	}
}

func (c *tally) report(t *testing.T) {
	t.Logf("%-46s %7d right %7d refused %3d wrong", c.form, c.right.Load(), c.refused.Load(), c.wrong.Load())
	if sample() == 1 && c.right.Load() < c.leastRight {
		t.Errorf("%s: %d are right, want at least %d", c.form, c.right.Load(), c.leastRight)
	}
}

// sample returns n for a test of every n-th number. n is 1 without the race detector,
// which makes the test slow.
func sample() int {
	if raceDetector || testing.Short() {
		return 19
	}
	return 1
}

// example is a valid number and the region that it is valid in, "001" for a
// number of no region.
type example struct {
	region string
	number *phonenumbers.PhoneNumber
}

func (e example) e164() string { return phonenumbers.Format(e.number, phonenumbers.E164) }

// TestEveryExampleIsDialedOrRefused checks that every example in the metadata, in every
// form that people write, is that number or an error, and never another number.
func TestEveryExampleIsDialedOrRefused(t *testing.T) {
	t.Parallel()
	var (
		e164          = tally{form: "E.164", leastRight: 1130}
		international = tally{form: "international", leastRight: 1130}
		uri           = tally{form: "tel URI", leastRight: 1130}
		national      = tally{form: "national, with its region", leastRight: 1120}
		withoutPlus   = tally{form: "without plus, with its region", leastRight: 1100}
		zeros         = tally{form: "00, from every other region", leastRight: 215_000}
		outOfCountry  = tally{form: "another prefix, from every other region", leastRight: 60_000}
	)
	regions := supportedRegions()
	inParallel(slices.Values(examples()), func(e example) {
		want := e.e164()
		e164.check(t, want, "", want)
		international.check(t, phonenumbers.Format(e.number, phonenumbers.INTERNATIONAL), "", want)
		uri.check(t, phonenumbers.Format(e.number, phonenumbers.RFC3966), "", want)
		if phone.IsRegion(e.region) {
			national.check(t, phonenumbers.Format(e.number, phonenumbers.NATIONAL), e.region, want)
			withoutPlus.check(t, want[1:], e.region, want)
		}
		for i := int(e.number.GetNationalNumber()) % sample(); i < len(regions); i += sample() {
			if regions[i] == e.region {
				continue
			}
			zeros.check(t, "00"+want[1:], regions[i], want)
			text := phonenumbers.FormatOutOfCountryCallingNumber(e.number, regions[i])
			if !strings.HasPrefix(text, "00 "+want[1:2]) { // the same digits
				outOfCountry.check(t, text, regions[i], want)
			}
		}
	})
	for _, c := range []*tally{&e164, &international, &uri, &national, &withoutPlus, &zeros, &outOfCountry} {
		c.report(t)
	}
}

// TestEveryValidNumberIsDialedOrRefused has random numbers that match the patterns of the
// metadata, since there are few examples for each region.
func TestEveryValidNumberIsDialedOrRefused(t *testing.T) {
	t.Parallel()
	var (
		e164        = tally{form: "E.164", leastRight: 13_500}
		trunk       = tally{form: "trunk prefix, with its region", leastRight: 13_450}
		afterCode   = tally{form: "trunk prefix after the country code", leastRight: 13_450}
		withoutPlus = tally{form: "without plus, with its region", leastRight: 13_250}
		bare        = tally{form: "without trunk prefix, with its region", leastRight: 13_450}
		zeros       = tally{form: "00, with its region", leastRight: 10_250}
		zerosTrunk  = tally{form: "00 and a trunk prefix, with its region", leastRight: 10_250}
		codeTrunk   = tally{form: "a trunk prefix and no plus, with its region", leastRight: 13_250}
	)
	inParallel(slices.Values(supportedRegions()), func(region string) {
		prefix := phonenumbers.GetNddPrefixForRegion(region, true)
		for e := range validNumbers(region) {
			want := e.e164()
			code := strconv.Itoa(int(e.number.GetCountryCode()))
			significant := phonenumbers.GetNationalSignificantNumber(e.number)
			e164.check(t, want, "", want)
			trunk.check(t, prefix+significant, region, want)
			afterCode.check(t, "+"+code+prefix+significant, region, want)
			withoutPlus.check(t, want[1:], region, want)
			bare.check(t, significant, region, want)
			zeros.check(t, "00"+want[1:], region, want)
			zerosTrunk.check(t, "00"+code+prefix+significant, region, want)
			codeTrunk.check(t, code+prefix+significant, region, want)
		}
	})
	for _, c := range []*tally{&e164, &trunk, &afterCode, &withoutPlus, &bare, &zeros, &zerosTrunk, &codeTrunk} {
		c.report(t)
	}
}

// TestEmergencyNumbersAreRefused has numbers of emergency services, which must not be
// dialed.
func TestEmergencyNumbersAreRefused(t *testing.T) {
	t.Parallel()
	for _, region := range supportedRegions() {
		for _, number := range []string{"110", "111", "112", "117", "118", "119", "911", "999", "000", "100", "101", "102", "103", "104", "190", "191", "995"} {
			if !phonenumbers.IsEmergencyNumber(number, region) {
				continue
			}
			for _, text := range []string{number, fmt.Sprintf("+%d%s", phonenumbers.GetCountryCodeForRegion(region), number)} {
				if got, err := phone.Dialable(text, region); err == nil {
					t.Errorf("%s in %s is sent as %+v", text, region, got)
				}
			}
		}
	}
}

func supportedRegions() []string {
	var regions []string
	for region := range phonenumbers.GetSupportedRegions() {
		regions = append(regions, region)
	}
	slices.Sort(regions)
	return regions
}

// examples returns every example of the metadata once.
func examples() []example {
	var list []example
	add := func(region string, number *phonenumbers.PhoneNumber) {
		if number == nil || !phonenumbers.IsValidNumber(number) {
			return
		}
		e := example{region, number}
		if !slices.ContainsFunc(list, func(o example) bool { return o.region == region && o.e164() == e.e164() }) {
			list = append(list, e)
		}
	}
	for _, region := range supportedRegions() {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			add(region, phonenumbers.GetExampleNumberForTypeInRegion(region, kind))
		}
	}
	for code := range phonenumbers.GetSupportedGlobalNetworkCallingCodes() {
		add("001", phonenumbers.GetExampleNumberForNonGeoEntity(code))
	}
	return list
}

// validNumbers yields random numbers of region that match the patterns of the metadata,
// the same ones in every run.
func validNumbers(region string) iter.Seq[example] {
	each := max(12/sample(), 1)
	of, _ := metadata.RegionMetadata(region)
	random := rand.New(rand.NewPCG(uint64(region[0]), uint64(region[1])))
	return func(yield func(example) bool) {
		for _, kind := range []*metadata.PhoneNumberDesc{
			of.GetFixedLine(), of.GetMobile(), of.GetTollFree(), of.GetPremiumRate(), of.GetSharedCost(),
			of.GetPersonalNumber(), of.GetVoip(), of.GetPager(), of.GetUan(), of.GetVoicemail(),
		} {
			pattern, err := syntax.Parse(kind.GetNationalNumberPattern(), syntax.Perl)
			if err != nil {
				panic(err)
			}
			for range each {
				number, err := phonenumbers.Parse(fmt.Sprintf("+%d%s", of.GetCountryCode(), textMatching(pattern, random)), "")
				if err == nil && phonenumbers.IsValidNumberForRegion(number, region) && len(example{region, number}.e164()) <= len("+123456789012345") && !yield(example{region, number}) {
					return
				}
			}
		}
	}
}

// textMatching returns a text that matches pattern.
func textMatching(pattern *syntax.Regexp, random *rand.Rand) string {
	switch pattern.Op {
	case syntax.OpLiteral:
		return string(pattern.Rune)
	case syntax.OpCharClass:
		ranges := slices.Collect(slices.Chunk(pattern.Rune, 2))
		var runes []rune
		for _, r := range ranges {
			for c := r[0]; c <= r[1]; c++ {
				runes = append(runes, c)
			}
		}
		return string(runes[random.IntN(len(runes))])
	case syntax.OpAlternate:
		return textMatching(pattern.Sub[random.IntN(len(pattern.Sub))], random)
	case syntax.OpQuest:
		return repeated(pattern.Sub[0], random.IntN(2), random)
	case syntax.OpRepeat:
		return repeated(pattern.Sub[0], pattern.Min+random.IntN(pattern.Max-pattern.Min+1), random)
	}
	var b strings.Builder // a sequence, a group or an empty match
	for _, sub := range pattern.Sub {
		b.WriteString(textMatching(sub, random))
	}
	return b.String()
}

func repeated(pattern *syntax.Regexp, times int, random *rand.Rand) string {
	var b strings.Builder
	for range times {
		b.WriteString(textMatching(pattern, random))
	}
	return b.String()
}

// inParallel calls do with every item, concurrently.
func inParallel[T any](items iter.Seq[T], do func(T)) {
	var running sync.WaitGroup
	for item := range items {
		running.Go(func() { do(item) })
	}
	running.Wait()
}
