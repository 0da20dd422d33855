package phone_test

import (
	"testing"

	"github.com/ccaip-go/calls/internal/phone"
)

func TestDialableAcceptsURIs(t *testing.T) {
	t.Parallel()
	checkDialable(t, []dialableTest{
		{name: "a global number", number: "tel:+1-859-657-9625", wire: "+18596579625"},
		{name: "a scheme in upper case", number: "TEL:+18596579625", wire: "+18596579625"},
		{name: "space before the scheme", number: " tel:+1(859)657.9625", wire: "+18596579625"},
		{name: "an escaped plus", number: "tel:%2B1-859-657-9625", wire: "+18596579625"},
		{name: "a context of a global number", number: "tel:+1-859-657-9625;phone-context=example.com", wire: "+18596579625"},
		{name: "a local number of the region", number: "tel:859-657-9625", region: "US", wire: "+18596579625"},

		{name: "a local number", number: "tel:859-657-9625", err: phone.ErrNoCountryCode},
		{name: "a local number with a context", number: "tel:657-9625;phone-context=+1-859", region: "US", err: phone.ErrURIParameter},
		{name: "a local number with a context and an extension", number: "tel:657-9625;phone-context=+1-859;ext=12", region: "US", err: phone.ErrURIParameter},
		{name: "an extension", number: "tel:+1-859-657-9625;ext=12", err: phone.ErrExtension},
		{name: "an extension after a context", number: "tel:+1-859-657-9625;phone-context=+1;EXT=12", err: phone.ErrExtension},
		{name: "an escaped extension", number: "tel:+1-859-657-9625%3Bext=12", err: phone.ErrExtension},
		{name: "a subaddress", number: "tel:+1-859-657-9625;isub=12", err: phone.ErrURIParameter},
		{name: "an empty parameter", number: "tel:+1-859-657-9625;", err: phone.ErrURIParameter},
		{name: "a malformed escape", number: "tel:+1-859-657-96%2", err: phone.ErrNotPlainText},
		{name: "an escaped NUL", number: "tel:+1-859-657-9625%00", err: phone.ErrNotPlainText},
		{name: "only the scheme", number: "tel:", err: phone.ErrNoCountryCode},
		{name: "a repeated scheme", number: "tel:tel:+18596579625", err: phone.ErrLetters},
	})
}
