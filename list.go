package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-querystring/query"

	"github.com/ccaip-go/calls/internal/flex"
	"github.com/ccaip-go/calls/internal/idset"
)

const (
	managerCallsPath = "/manager/api/v1/calls"
	// maxPerPage is the most calls that the platform puts on a page.
	maxPerPage = 100
	// maxIdlePages is how many pages in a row may bring nothing new. Calls that
	// are created while a listing runs push others onto the next page, where
	// they are met again; a listing that goes in circles looks the same for longer.
	maxIdlePages = 10
)

// ListOptions chooses and sorts the calls of a listing. The zero value lists
// all of them in the platform's own order.
//
// Reference: none; this is how the Manager API was seen in use.
type ListOptions struct {
	// UpdatedSince leaves out the calls that have not changed since. The zero
	// time leaves out none.
	UpdatedSince time.Time
	// SortBy is the column to sort by, such as "id"; which of them the platform
	// takes is not documented. Empty means the platform's own order.
	SortBy string
	// Descending turns the order round.
	Descending bool
	// PerPage is how many calls are asked for at a time, at most 100, which 0
	// stands for.
	PerPage int
}

// listQuery is ListOptions as the platform reads them.
type listQuery struct {
	Page          int    `url:"page"`
	PerPage       int    `url:"per"`
	SortColumn    string `url:"sort_column,omitempty"`
	SortDirection string `url:"sort_direction,omitempty"`
	Updated       struct {
		From *time.Time `url:"from,omitempty"`
	} `url:"updated_at"`
}

func (o ListOptions) query() (q listQuery, err error) {
	if o.PerPage < 0 || o.PerPage > maxPerPage {
		return q, invalid("per", "is not between 0 and 100", nil)
	}
	q.Page, q.PerPage, q.SortColumn = 1, o.PerPage, o.SortBy
	if q.PerPage == 0 {
		q.PerPage = maxPerPage
	}
	switch {
	case o.Descending:
		q.SortDirection = "DESC"
	case o.SortBy != "":
		q.SortDirection = "ASC"
	}
	if !o.UpdatedSince.IsZero() {
		from := o.UpdatedSince.UTC()
		q.Updated.From = &from
	}
	return q, nil
}

// ListCalls lists calls by the Manager API, a page at a time: memory does not
// grow with their number. An error is yielded once, with a nil *Call, after the
// calls that came before it, and ends the listing.
//
// No call is yielded twice. A call that does not change while the listing runs
// is not missed, unless the order makes others move away from before it: in
// ascending order of "updated_at" a call that changes moves to the end, and the
// first call of the next page takes a place on a page that was already read. A
// listing that has to be complete is sorted by "id", or in descending order.
//
// Reference: none; this is how the Manager API was seen in use.
func (c *Client) ListCalls(ctx context.Context, opts ListOptions) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		l, err := c.newListing(opts)
		for err == nil && !l.isOver {
			var page []*Call
			page, err = l.nextPage(ctx)
			for _, call := range page {
				if !yield(call, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// listing is a walk through the pages.
type listing struct {
	client *Client
	query  listQuery
	// encoded is the query of the next page: ours, or that of the platform's link.
	encoded   string
	seen      idset.Set
	idlePages int
	isOver    bool
}

func (c *Client) newListing(opts ListOptions) (*listing, error) {
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	l := &listing{client: c, query: q}
	return l, l.encode()
}

func (l *listing) encode() error {
	values, err := query.Values(l.query)
	if err != nil {
		return fmt.Errorf("calls: ListCalls: %w", err)
	}
	l.encoded = values.Encode()
	return nil
}

// nextPage returns the calls of the next page that were on none before, and
// finds out where the page after it is. There can be both, calls and an error.
func (l *listing) nextPage(ctx context.Context) ([]*Call, error) {
	o, err := l.client.send(ctx, operation{
		name: "ListCalls", method: http.MethodGet,
		route: managerCallsPath, query: l.encoded,
	})
	if err != nil {
		return nil, err
	}
	var objects []json.RawMessage
	if err := o.decode(ctx, func(body []byte) error { return json.Unmarshal(body, &objects) }); err != nil {
		return nil, err
	}
	page := l.unseen(objects)
	if l.idlePages++; len(page) > 0 {
		l.idlePages = 0
	}
	if err := l.turn(o.result.Response.Header, len(objects)); err != nil {
		return page, o.fail(ctx, o.delivery(), ErrUndecodable, err)
	}
	return page, nil
}

// unseen decodes the objects of a page one by one, so that an odd one spoils no
// other. One without an id cannot be told from its like and is kept.
func (l *listing) unseen(objects []json.RawMessage) []*Call {
	page := make([]*Call, 0, len(objects))
	for _, object := range objects {
		call := &Call{}
		if flex.Decode(object, call) != nil {
			continue
		}
		call.raw = (*[]byte)(&object)
		if call.ID == 0 || l.seen.Add(call.ID) {
			page = append(page, call)
		}
	}
	return page
}

// turn finds the next page: by the link header or, where there is none, by its
// number as long as pages are full.
func (l *listing) turn(header http.Header, received int) error {
	if l.idlePages > maxIdlePages {
		return errors.New("the pages go in circles")
	}
	if links := header.Values("Link"); len(links) > 0 {
		return l.follow(nextLink(links))
	}
	full := l.query.PerPage
	if n, err := strconv.Atoi(header.Get("Per-Page")); err == nil && n > 0 {
		full = min(full, n)
	}
	if received < full {
		l.isOver = true
		return nil
	}
	l.query.Page++
	return l.encode()
}

// follow takes the query of a link, and nothing else: the credentials go to the
// host and path of the listing, whatever the link says.
func (l *listing) follow(link string) error {
	if link == "" {
		l.isOver = true
		return nil
	}
	here, err := url.Parse(l.client.root + managerCallsPath)
	if err != nil {
		return err
	}
	next, err := here.Parse(link)
	switch {
	case err != nil:
		return errors.New("the link to the next page is not a URL")
	case !strings.EqualFold(next.Host, here.Host) || next.Scheme != here.Scheme:
		return errors.New("the link to the next page leads to another host")
	case next.RawQuery == l.encoded:
		return errors.New("the link to the next page leads to the same page")
	}
	l.encoded = next.RawQuery
	return nil
}

var (
	linkValue = regexp.MustCompile(`<([^>]*)>([^,<]*)`)
	relNext   = regexp.MustCompile(`(?i);\s*rel\s*=\s*(?:next\s*(?:;|$)|"(?:[^"]*\s)?next(?:\s[^"]*)?")`)
)

// nextLink returns the target whose relation is next, "" if there is none (RFC 8288).
func nextLink(headers []string) string {
	for _, link := range linkValue.FindAllStringSubmatch(strings.Join(headers, ","), -1) {
		if relNext.MatchString(link[2]) {
			return link[1]
		}
	}
	return ""
}

// FindCall looks for a call among those that changed since a time; the zero
// time means all of them, which can be many pages. It is a *Call or an error,
// ErrCallNotFound if the listing ended without it. The platform knows no way to
// read one call.
//
// Reference: none; this is how the Manager API was seen in use.
func (c *Client) FindCall(ctx context.Context, id int64, since time.Time) (*Call, error) {
	if err := checkCallID(id); err != nil {
		return nil, err
	}
	for call, err := range c.ListCalls(ctx, ListOptions{UpdatedSince: since}) {
		if err != nil {
			return nil, err
		}
		if call.ID == id {
			return call, nil
		}
	}
	return nil, ErrCallNotFound
}
