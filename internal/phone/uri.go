package phone

import (
	"net/url"
	"strings"
)

const uriScheme = "tel:"

// subscriberOf returns the number of a tel URI (RFC 3966). What is not a tel URI
// is returned as it is.
func subscriberOf(number string) (subscriber string, isURI bool, err error) {
	if len(number) < len(uriScheme) || !strings.EqualFold(number[:len(uriScheme)], uriScheme) {
		return number, false, nil
	}
	escaped, parameters, hasParameters := strings.Cut(number[len(uriScheme):], ";")
	subscriber, err = url.PathUnescape(escaped)
	if err != nil {
		return "", true, ErrNotPlainText
	}
	if hasParameters {
		err = checkParameters(parameters, strings.HasPrefix(subscriber, "+"))
	}
	return subscriber, true, err
}

// checkParameters permits a context where it changes nothing, which is next to a
// number that has its country code.
func checkParameters(parameters string, hasCountryCode bool) error {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, _, _ := strings.Cut(parameter, "=")
		switch {
		case strings.EqualFold(name, "ext"):
			return ErrExtension
		case !strings.EqualFold(name, "phone-context") || !hasCountryCode:
			return ErrURIParameter
		}
	}
	return nil
}
