package calls

import (
	"errors"
	"testing"
)

func TestNextQuery(t *testing.T) {
	tests := map[string]struct {
		headers  []string
		want     string
		isPaging bool
	}{
		"alone":                     {[]string{`</calls?page=2>; rel="next"`}, "page=2", true},
		"between others":            {[]string{`<?a>; rel="first", <?b=1,2>; rel="next", <?d>; rel="last"`}, "b=1%2C2", true},
		"in a header of its own":    {[]string{`<?a>; rel="prev"`, `<?b=1>; rel="next"`}, "b=1", true},
		"unquoted":                  {[]string{`<?b=1>; rel=next`}, "b=1", true},
		"in upper case":             {[]string{`<?b=1>; REL="Next"`}, "b=1", true},
		"with spaces":               {[]string{` <?b=1> ;	rel = "next" , `}, "b=1", true},
		"with other parameters":     {[]string{`<?b=1>; crossorigin; title="x"; rel="next"; type="a"`}, "b=1", true},
		"with empty parameters":     {[]string{`<?b=1>;; rel="next";`}, "b=1", true},
		"with other relations":      {[]string{`<?b=1>; rel="last next"`}, "b=1", true},
		"after a title with commas": {[]string{`<?b=1>; title="a, b; c"; rel="next"`}, "b=1", true},
		"after a quoted quote":      {[]string{`<?b=1>; title="a\", \\"; rel="next"`}, "b=1", true},
		"a query with spaces":       {[]string{`<?b=1 2&c=%20>; rel="next"`}, "b=1+2&c=+", true},
		"a line break in the query": {[]string{"<?b=1\r\nX: y>; rel=next"}, "b=1%0D%0AX%3A+y", true},
		"a fragment":                {[]string{`<?b=1#c=2>; rel=next`}, "b=1", true},
		"another host":              {[]string{`<https://evil.example.com:1/x?b=1>; rel="next"`}, "b=1", true},
		"no URL but a query":        {[]string{`<http://[::1?b=1>; rel="next"`}, "b=1", true},
		"only the first relation":   {[]string{`<?b=1>; rel="last"; rel="next"`}, "", true},
		"a relation like nextish":   {[]string{`<?b=1>; rel="nextish"`}, "", false},
		"a relation like context":   {[]string{`<?b=1>; rel="context"`}, "", false},
		"unquoted, like next-page":  {[]string{`<?b=1>; rel=next-page`}, "", false},
		"a title":                   {[]string{`<?b=1>; title="rel=next"`}, "", false},
		"of another resource":       {[]string{`<?b=1>; rel="next"; anchor="/elsewhere"`}, "", false},
		"the last page":             {[]string{`<?b=1>; rel="prev"`}, "", true},
		"a gateway's own link":      {[]string{`</style.css>; rel=preload; as=style`}, "", false},
		"an empty header":           {[]string{""}, "", false},
		"no header":                 {nil, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, isPaging, err := nextQuery(tt.headers)
			if got != tt.want || isPaging != tt.isPaging || err != nil {
				t.Errorf("got %q, %v, %v, want %q, %v", got, isPaging, err, tt.want, tt.isPaging)
			}
		})
	}
}

func TestAMalformedLinkHeaderIsAnError(t *testing.T) {
	for _, header := range []string{
		`garbage`, `<?b=1`, `<?b=1; rel="next"`, `<?b=1> rel="next"`, `<?b=1>; rel="next`, `<?b=1>; rel="next\`,
		`<?a>; rel="prev" <?b=1>; rel="next"`, `<?b=1>; rel="next"x`, `<?b=1>; "rel"="next"`, `<?b=1>; rel=ne"xt"`,
		`<?b=1>; rel=next prev`, `<?a>; rel=prev, ?b=1`,
	} {
		if query, _, err := nextQuery([]string{header}); !errors.Is(err, errLinkMalformed) {
			t.Errorf("%s: %q, %v", header, query, err)
		}
	}
	for _, header := range []string{`<>; rel=next`, `</calls>; rel=next`, `<?b=%zz>; rel=next`, `<?b;c>; rel=next`} {
		if query, _, err := nextQuery([]string{header}); err == nil {
			t.Errorf("%s: %q", header, query)
		}
	}
}

func FuzzNextQuery(f *testing.F) {
	f.Add(`<?b=1>; title="a\", \\"; rel="next", <x>; rel=last`)
	f.Fuzz(func(t *testing.T, header string) {
		query, isPaging, err := nextQuery([]string{header})
		if query != "" && (!isPaging || err != nil) {
			t.Errorf("%q, %v, %v", query, isPaging, err)
		}
	})
}
