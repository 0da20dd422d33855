package callstest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The defaults of a listing are not documented. Pages of 25 calls, in ascending order of
// their ids, are the double's own choice, and so is every refusal of a parameter.
const (
	defaultPerPage = 25
	maxPerPage     = 100
)

// listing is the query of a listing.
type listing struct {
	page, perPage int
	column        string
	descending    bool
	updatedFrom   time.Time // inclusive; zero means no filter
}

// sortKeys has the columns that a listing can be sorted by.
var sortKeys = map[string]func(*record) time.Time{
	"id":         func(*record) time.Time { return time.Time{} },
	"created_at": func(r *record) time.Time { return r.CreatedAt },
	"updated_at": func(r *record) time.Time { return r.UpdatedAt },
}

func (p *platform) list(r *http.Request, now time.Time) response {
	query, err := parseListing(r.URL.Query())
	if err != nil {
		return refuse(err.Error())
	}
	page, total := p.history.page(query, now)
	objects := make([]listedObject, len(page))
	for i, c := range page {
		objects[i] = p.world.listed(c)
	}
	res := respondJSON(http.StatusOK, objects)
	res.header = http.Header{
		"Total":    {strconv.Itoa(total)},
		"Per-Page": {strconv.Itoa(query.perPage)},
	}
	if !p.noLinks {
		res.header.Set("Link", p.links(r, query, total))
	}
	return res
}

func parseListing(values url.Values) (listing, error) {
	q := listing{column: "id"}
	var err error
	if q.page, err = positive(values, "page", 1); err != nil {
		return q, err
	}
	if q.perPage, err = positive(values, "per", defaultPerPage); err != nil {
		return q, err
	}
	if q.perPage > maxPerPage {
		return q, fmt.Errorf("per is more than %d", maxPerPage)
	}
	if column := values.Get("sort_column"); column != "" {
		q.column = column
	}
	if sortKeys[q.column] == nil {
		return q, errors.New("sort_column is not known")
	}
	switch values.Get("sort_direction") {
	case "", "ASC":
	case "DESC":
		q.descending = true
	default:
		return q, errors.New("sort_direction is neither ASC nor DESC")
	}
	if from := values.Get("updated_at[from]"); from != "" {
		if q.updatedFrom, err = time.Parse(time.RFC3339, from); err != nil {
			return q, errors.New("updated_at[from] is not a time")
		}
	}
	return q, nil
}

// positive returns the value of a parameter that must be a positive integer.
func positive(values url.Values, name string, whenAbsent int) (int, error) {
	text := values.Get(name)
	if text == "" {
		return whenAbsent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is not a positive integer", name)
	}
	return n, nil
}

// links returns the Link header of RFC 8288, with the next and the last page.
func (p *platform) links(r *http.Request, q listing, total int) string {
	last := max(1, (total+q.perPage-1)/q.perPage)
	links := []string{p.link(r, last, "last")}
	if q.page < last {
		links = append(links, p.link(r, q.page+1, "next"))
	}
	return strings.Join(links, ", ")
}

func (p *platform) link(r *http.Request, page int, relation string) string {
	values := r.URL.Query()
	values.Set("page", strconv.Itoa(page))
	target := url.URL{Scheme: p.scheme(), Host: r.Host, Path: r.URL.Path, RawQuery: values.Encode()}
	return fmt.Sprintf("<%s>; rel=%q", &target, relation)
}
