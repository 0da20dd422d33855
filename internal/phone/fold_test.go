package phone_test

import (
	"testing"

	"github.com/ccaip-go/calls/internal/phone"
)

func TestDialableNormalizesCharacters(t *testing.T) {
	t.Parallel()
	checkDialable(t, []dialableTest{
		{name: "direction marks", number: "\u202d+33 6 12 34 56 78\u202c", wire: "+33 6 12 34 56 78"},
		{name: "marks inside", number: "+33\u200e 6\u2060 12\ufeff 34 56 7\u00ad8", wire: "+33 6 12 34 56 78"},
		{name: "an emoji selector", number: "+1 859-657-962\ufe0f5", wire: "+1 859-657-9625"},
		{name: "a Hangul filler", number: "+82\u3164-10-6861-2345", wire: "+82-10-6861-2345"},
		{name: "spaces of all widths", number: "+1\u00a0859\u2009657\u30009625", wire: "+1 859 657 9625"},
		{name: "a tab", number: "+1\t859 657 9625", wire: "+1 859 657 9625"},
		{name: "minus signs", number: "+1 859−657−9625", wire: "+1 859-657-9625"},
		{name: "dashes", number: "+1‐859–657—9625", wire: "+1-859-657-9625"},
		{name: "small and wide hyphens", number: "+1－859﹣657－9625", wire: "+1-859-657-9625"},
		{name: "a wave dash and a long vowel mark", number: "+1〜859ー657ｰ9625", wire: "+1-859-657-9625"},
		{name: "dots", number: "+1 859．657·9625", wire: "+1 859.657.9625"},
		{name: "a katakana dot", number: "+1 859・657･9625", wire: "+1 859.657.9625"},
		{name: "a wide slash", number: "+49 30／123456", wire: "+49 30/123456"},
		{name: "wide parentheses", number: "+1（859）657 9625", wire: "+1(859)657 9625"},
		{name: "brackets", number: "+1 [859] 657 9625", wire: "+1 (859) 657 9625"},
		{name: "a wide plus", number: "＋1 859-657-9625", wire: "+18596579625"},
		{name: "wide digits", number: "＋１８５９６５７９６２５", wire: "+18596579625"},
		{name: "Arabic-Indic digits", number: "+١ ٨٥٩ ٦٥٧ ٩٦٢٥", wire: "+18596579625"},
		{name: "Devanagari digits", number: "+९१ ८१२३४ ५६७८९", wire: "+918123456789"},
		{name: "mathematical digits", number: "+𝟏 𝟖𝟓𝟗 𝟔𝟓𝟕 𝟗𝟔𝟐𝟓", wire: "+18596579625"},
		{name: "a Japanese number", number: "０３ー１２３４ー５６７８", region: "JP", wire: "+81312345678"},
		{name: "wide digits with a region", number: "８５９６５７９６２５", region: "US", wire: "+18596579625"},
		{name: "only marks", number: "\u202d\u202c", region: "US", err: phone.ErrImpossible},
	})
}

func TestDialableRefusesOtherText(t *testing.T) {
	t.Parallel()
	checkDialable(t, []dialableTest{
		{name: "letters", number: "+1 859-FLOWERS", err: phone.ErrLetters},
		{name: "letters of another script", number: "+1 859-657-96ᏎᏎ", err: phone.ErrLetters},
		{name: "a word", number: "abcde10", region: "US", err: phone.ErrLetters},
		{name: "a letter O for a zero", number: "+1 859-657-9O25", err: phone.ErrLetters},
		{name: "an address", number: "18596579625@example.com", region: "US", err: phone.ErrLetters},
		{name: "another URI", number: "sip:+18596579625", err: phone.ErrLetters},

		{name: "an extension", number: "859-657-9625 ext. 12", region: "US", err: phone.ErrExtension},
		{name: "an extension in full", number: "+1 859-657-9625 Extension 12", err: phone.ErrExtension},
		{name: "an extension by x", number: "+1 859-657-9625x12", err: phone.ErrExtension},
		{name: "an extension by a wide x", number: "+1 859-657-9625 ｘ12", err: phone.ErrExtension},
		{name: "a Russian extension", number: "+1 859-657-9625 доб. 12", err: phone.ErrExtension},
		{name: "an extension by #", number: "859-657-9625 #12", region: "US", err: phone.ErrExtension},
		{name: "an extension by a wide #", number: "859-657-9625＃12", region: "US", err: phone.ErrExtension},
		{name: "an extension by pauses", number: "+1 859-657-9625,,12", err: phone.ErrExtension},
		{name: "an extension by a semicolon", number: "+1-859-657-9625;12", err: phone.ErrExtension},
		{name: "an extension as in a URI", number: "+1-859-657-9625;ext=12", err: phone.ErrExtension},
		{name: "an extension by a tilde", number: "859-657-9625~12", region: "US", err: phone.ErrExtension},
		{name: "an extension by a wide tilde", number: "+1 859-657-9625 ～12", err: phone.ErrExtension},

		{name: "a line break", number: "+1 859-657-9625\n", err: phone.ErrNotPlainText},
		{name: "a line break inside", number: "+1 859-657\r\n9625", err: phone.ErrNotPlainText},
		{name: "a NUL", number: "+1 859-657\x00-9625", err: phone.ErrNotPlainText},
		{name: "invalid UTF-8", number: "+1 859-657-9625\xff", err: phone.ErrNotPlainText},
		{name: "a star code", number: "*67 859-657-9625", region: "US", err: phone.ErrNotPlainText},
		{name: "superscript digits", number: "+1 859-657-962⁵", err: phone.ErrNotPlainText},
		{name: "a quotation mark", number: "„+1 859-657-9625", err: phone.ErrNotPlainText},
		{name: "a text marker", number: "'+18596579625", err: phone.ErrNotPlainText},

		{name: "a decimal fraction", number: "1711234567.0", region: "DE", err: phone.ErrSpreadsheet},
		{name: "a longer fraction, with a country code", number: "+18596579625.00", err: phone.ErrSpreadsheet},
		{name: "a wide decimal point", number: "1711234567．0", region: "DE", err: phone.ErrSpreadsheet},
		{name: "a decimal comma", number: "1711234567,0", region: "DE", err: phone.ErrSpreadsheet},
		{name: "scientific notation", number: "1.85966E+10", region: "US", err: phone.ErrSpreadsheet},
		{name: "scientific notation in lower case", number: "4915123456789e0", region: "DE", err: phone.ErrSpreadsheet},
		{name: "scientific notation with a comma", number: "1,85966E+10", region: "US", err: phone.ErrSpreadsheet},
	})
}
