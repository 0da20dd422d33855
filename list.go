package calls

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-querystring/query"

	"github.com/ccaip-go/calls/internal/flex"
)

const (
	managerCallsPath = "/manager/api/v1/calls"
	// maxPerPage is the most calls that the platform puts on a page.
	maxPerPage = 100
	// maxRepeatedPages is how many pages in a row may bring nothing new. Calls that
	// are created while a listing runs push others onto the next page, so a few
	// pages can repeat; a listing that goes in circles repeats for longer.
	maxRepeatedPages = 10
	// defaultFindWindow is how far back FindCall looks for a call.
	defaultFindWindow = 24 * time.Hour
)

// ListOptions filters and sorts the calls of a listing. The zero value lists all
// of them in the platform's own order.
//
// Reference: "Manager API", calls.
type ListOptions struct {
	// UpdatedSince leaves out the calls that have not changed since that time,
	// which is rounded down to a second. The zero time leaves out none.
	UpdatedSince time.Time
	// SortBy is the column to sort by: "updated_at", or another one, such as "id".
	// The reference does not list them. Empty means the platform's own order.
	SortBy string
	// Descending reverses the order.
	Descending bool
	// PerPage is the number of calls on a page, 1 to 100. Zero means 100.
	PerPage int
}

// listQuery is ListOptions as the platform reads them.
type listQuery struct {
	Page          int    `url:"page"`
	PerPage       int    `url:"per"`
	SortColumn    string `url:"sort_column,omitempty"`
	SortDirection string `url:"sort_direction,omitempty"`
	Updated       struct {
		From string `url:"from,omitempty"`
	} `url:"updated_at"`
}

func (o ListOptions) query() (q listQuery, err error) {
	if q.PerPage, err = perPage(o.PerPage); err != nil {
		return q, err
	}
	q.Page, q.SortColumn = 1, o.SortBy
	switch {
	case o.Descending:
		q.SortDirection = "DESC"
	case o.SortBy != "":
		q.SortDirection = "ASC"
	}
	q.Updated.From = stamp(o.UpdatedSince.Truncate(time.Second), time.RFC3339Nano)
	return q, nil
}

func perPage(n int) (int, error) {
	switch {
	case n < 0 || n > maxPerPage:
		return 0, invalid("per", "is not between 0 and 100", nil)
	case n == 0:
		return maxPerPage, nil
	}
	return n, nil
}

// ListCalls lists calls, one page at a time. An error is yielded once, with a nil
// *Call, after the calls that came before it, and ends the listing.
//
// No call is yielded twice: ListCalls remembers the id of each call that it has
// yielded, which takes about 2 MB for 100,000 calls. No other memory grows with the
// listing.
//
// A call that does not change while the listing runs can be missed only if another
// one moves from before it to after it, as a call that changes does in ascending order
// of "updated_at": the first call of the next page then moves onto a page that was
// already read. To follow changes use TailCalls, which does not have that fault.
//
// Reference: "Manager API", calls.
func (c *Client) ListCalls(ctx context.Context, opts ListOptions) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		q, err := opts.query()
		if err != nil {
			yield(nil, err)
			return
		}
		if err := c.list(ctx, q, yield); err != nil {
			yield(nil, err)
		}
	}
}

// list yields each call of a listing once. It returns nil if yield stopped it.
func (c *Client) list(ctx context.Context, q listQuery, yield func(*Call, error) bool) error {
	l := &listing{client: c, query: q}
	seen := map[int64]struct{}{}
	var repeated repeats
	for !l.isOver {
		page, err := l.nextPage(ctx)
		isNew := false
		for _, call := range page {
			if call.ID != 0 { // one without an id cannot be told from another, and is kept
				if _, isKnown := seen[call.ID]; isKnown {
					continue
				}
				seen[call.ID] = struct{}{}
				isNew = true
			}
			if !yield(call, nil) {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if err := repeated.note(isNew); err != nil {
			return l.fail(ctx, err)
		}
	}
	return nil
}

// repeats counts the pages in a row that brought nothing new.
type repeats int

func (r *repeats) note(isNew bool) error {
	if isNew {
		*r = 0
		return nil
	}
	if *r++; *r > maxRepeatedPages {
		return errors.New("the pages go in circles")
	}
	return nil
}

// listing reads the pages of a listing.
type listing struct {
	client *Client
	query  listQuery
	// encoded is the query of the next page: ours, or that of the platform's link.
	// It is empty before the first page.
	encoded string
	pages   int // read so far
	isOver  bool
	last    *outcome
}

// nextPage returns the calls of the next page, and finds out where the page after
// it is. There can be both, calls and an error.
func (l *listing) nextPage(ctx context.Context) ([]*Call, error) {
	if l.encoded == "" {
		if err := l.encode(); err != nil {
			return nil, err
		}
	}
	o, err := l.client.send(ctx, operation{
		name: "ListCalls", method: http.MethodGet,
		route: managerCallsPath, query: l.encoded,
	})
	if err != nil {
		return nil, err
	}
	l.last = o
	var page []*Call
	received := 0
	err = o.decode(ctx, func(body []byte) (err error) {
		received, err = flex.DecodeArray(body, func(fields *callFields, object []byte) {
			kept := bytes.Clone(object) // so that one call does not keep its page in memory
			call := (*Call)(fields)
			call.raw = &kept
			page = append(page, call)
		})
		return err
	})
	if err != nil {
		return page, err
	}
	l.pages++
	if err := l.turn(o.result.Response.Header, received); err != nil {
		return page, l.fail(ctx, err)
	}
	return page, nil
}

// turn finds the next page: by the Link header or, where that says nothing about
// pages, by its number as long as pages are full.
func (l *listing) turn(header http.Header, received int) error {
	next, isPaging, err := nextQuery(header.Values("Link"))
	switch {
	case err != nil:
		return err
	case next != "" && next == l.encoded:
		return errors.New("the link to the next page leads to the same page")
	case isPaging:
		l.encoded, l.isOver = next, next == ""
		return nil
	}
	full := l.query.PerPage
	if n, err := strconv.Atoi(header.Get("Per-Page")); err == nil && n > 0 {
		full = min(full, n)
	}
	if received < full {
		l.isOver = true
		return nil
	}
	l.query.Page = l.pages + 1
	return l.encode()
}

func (l *listing) encode() error {
	values, err := query.Values(l.query)
	if err != nil {
		return fmt.Errorf("calls: ListCalls: %w", err)
	}
	l.encoded = values.Encode()
	return nil
}

// fail returns the error of a listing that cannot go on after its last page.
func (l *listing) fail(ctx context.Context, cause error) error {
	return l.last.fail(ctx, l.last.delivery(), ErrUndecodable, cause)
}

// FindOptions sets where FindCall looks. The zero value looks at the last 24 hours.
type FindOptions struct {
	// Since is a time before the last change of the call, such as when it was
	// created, by the platform's clock. The zero time means 24 hours ago.
	Since time.Time
}

// FindCall returns the call with an id. The platform has no way to read one call,
// so FindCall lists the calls that have changed since opts.Since, 100 for each
// request, until it meets this one. It returns ErrCallNotFound if the listing ended
// without it.
//
// Reference: "Manager API", calls.
func (c *Client) FindCall(ctx context.Context, id int64, opts FindOptions) (*Call, error) {
	if err := checkCallID(id); err != nil {
		return nil, err
	}
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	since := opts.Since
	if since.IsZero() {
		since = c.now().Add(-defaultFindWindow)
	}
	w := walk{client: c, perPage: maxPerPage, from: since.Truncate(time.Second)}
	for isOver := false; !isOver; {
		var page []*Call
		var err error
		page, isOver, err = w.next(ctx)
		for _, call := range page {
			if call.ID == id {
				return call, nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, ErrCallNotFound
}
