package calls

import "testing"

func TestNextLink(t *testing.T) {
	tests := map[string]struct {
		headers []string
		want    string
	}{
		"alone":                  {[]string{`</calls?page=2>; rel="next"`}, "/calls?page=2"},
		"between others":         {[]string{`<a>; rel="first", <b,c>; rel="next", <d>; rel="last"`}, "b,c"},
		"in a header of its own": {[]string{`<a>; rel="prev"`, `<b>; rel="next"`}, "b"},
		"unquoted":               {[]string{`<b>; rel=next`}, "b"},
		"in upper case":          {[]string{`<b>; REL="Next"`}, "b"},
		"with other parameters":  {[]string{`<b>; title="x"; rel="next"; type="a"`}, "b"},
		"with other relations":   {[]string{`<b>; rel="last next"`}, "b"},
		"a word that begins so":  {[]string{`<b>; rel="nextish"`}, ""},
		"a word that ends so":    {[]string{`<b>; rel="context"`}, ""},
		"unquoted, begins so":    {[]string{`<b>; rel=next-page`}, ""},
		"a title":                {[]string{`<b>; title="rel=next"`}, ""},
		"none":                   {[]string{`<b>; rel="prev"`}, ""},
		"no link":                {[]string{"garbage"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := nextLink(tt.headers); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
