package calls

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// link is one link of a Link header.
type link struct {
	target    string
	relations []string // in lower case
}

// pagingRelations are the relations that only a listing in pages has. A gateway
// can add links of other relations.
var pagingRelations = []string{"first", "prev", "previous", "next", "last"}

// nextQuery returns the query of the next page that a Link header names, "" if it
// names none. It reports false for isPaging if the header says nothing about
// pages.
//
// Only the query of a link is used: the credentials go to the host and the path
// of the listing, and behind a gateway the platform knows neither.
func nextQuery(headers []string) (query string, isPaging bool, err error) {
	links, err := parseLinks(headers)
	if err != nil {
		return "", false, err
	}
	for _, l := range links {
		if slices.Contains(l.relations, "next") {
			query, err = l.query()
			return query, true, err
		}
		isPaging = isPaging || slices.ContainsFunc(l.relations, func(relation string) bool {
			return slices.Contains(pagingRelations, relation)
		})
	}
	return "", isPaging, nil
}

// query returns the query of the target, with everything in it escaped.
func (l link) query() (string, error) {
	target, _, _ := strings.Cut(l.target, "#")
	_, query, found := strings.Cut(target, "?")
	if !found {
		return "", errors.New("the link to the next page has no query")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("the query of the link to the next page is malformed")
	}
	return values.Encode(), nil
}

var errLinkMalformed = errors.New("the Link header is malformed")

// parseLinks parses the values of a Link header (RFC 8288). Unlike the algorithm in
// its appendix, it does not stop silently where it can read no further: the link to
// the next page may be there.
func parseLinks(headers []string) (links []link, err error) {
	for _, rest := range headers {
		for {
			if rest = strings.TrimLeft(rest, " \t,"); rest == "" {
				break
			}
			var l link
			if l, rest, err = cutLink(rest); err != nil {
				return nil, err
			}
			links = append(links, l)
		}
	}
	return links, nil
}

// cutLink cuts the first link off a header value.
func cutLink(value string) (l link, rest string, err error) {
	target, rest, found := strings.Cut(value, ">")
	if !found || !strings.HasPrefix(target, "<") {
		return l, "", errLinkMalformed
	}
	l.target = strings.TrimSpace(target[1:])
	hasRelation, hasAnchor := false, false
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" || rest[0] == ',' {
			break
		}
		if rest[0] != ';' {
			return l, "", errLinkMalformed
		}
		var name, value string
		if name, value, rest, err = cutParameter(rest[1:]); err != nil {
			return l, "", err
		}
		switch strings.ToLower(name) {
		case "rel":
			if !hasRelation { // only the first counts
				l.relations, hasRelation = strings.Fields(strings.ToLower(value)), true
			}
		case "anchor":
			hasAnchor = true
		}
	}
	if hasAnchor { // a link of another resource
		l.relations = nil
	}
	return l, rest, nil
}

// cutParameter cuts the first parameter off the part of a link that follows a
// semicolon.
func cutParameter(text string) (name, value, rest string, err error) {
	end := strings.IndexAny(text, "=;,")
	if end < 0 {
		end = len(text)
	}
	name, rest = strings.Trim(text[:end], " \t"), text[end:]
	if strings.ContainsAny(name, " \t\"<>") {
		return "", "", "", errLinkMalformed
	}
	if rest == "" || rest[0] != '=' {
		return name, "", rest, nil
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if strings.HasPrefix(rest, `"`) {
		value, rest, err = cutQuoted(rest[1:])
		return name, value, rest, err
	}
	if end = strings.IndexAny(rest, ";,"); end < 0 {
		end = len(rest)
	}
	value, rest = strings.TrimRight(rest[:end], " \t"), rest[end:]
	if strings.ContainsAny(value, " \t\"<>") {
		return "", "", "", errLinkMalformed
	}
	return name, value, rest, nil
}

// cutQuoted cuts a quoted string off text, which begins after the first quote.
func cutQuoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) {
				return "", "", errLinkMalformed
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", errLinkMalformed
}
