package calls

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

const (
	scheduledRoute  = callsRoute + "/scheduled"
	cancelRoute     = scheduledRoute + "/:id/cancel"
	cancelManyRoute = scheduledRoute + "/cancel"
)

// CancelResult is the success of CancelScheduled.
type CancelResult struct {
	// Call is the canceled call. Its status is CallStatusCancelled, or
	// CallStatusCompleted if a virtual agent had dialed for it. It is nil exactly
	// when AlreadyCanceled is true.
	Call *Call
	// AlreadyCanceled means that the call was canceled before (204): by an earlier
	// request, or by an earlier attempt of this one whose response was lost.
	AlreadyCanceled bool
	// StatusCode and Header are those of the response.
	StatusCode int
	Header     http.Header
}

// CancelScheduled cancels a scheduled call. It can be repeated without harm, so it
// is attempted again like a read. ErrUndecodable means that the call was canceled
// and that the response does not show it.
//
// Reference: "Callback call API", cancel a scheduled call.
func (c *Client) CancelScheduled(ctx context.Context, callID int64) (*CancelResult, error) {
	if err := checkCallID(callID); err != nil {
		return nil, err
	}
	o, err := c.send(ctx, operation{name: "CancelScheduled", method: http.MethodPatch, route: cancelRoute, id: callID})
	if err != nil {
		return nil, err
	}
	result := &CancelResult{StatusCode: o.result.Response.StatusCode, Header: o.result.Response.Header}
	if result.StatusCode == http.StatusNoContent {
		result.AlreadyCanceled = true
		return result, nil
	}
	result.Call = &Call{}
	if err := o.decode(ctx, result.Call.decodeExisting); err != nil {
		return nil, err
	}
	return result, nil
}

// decodeExisting is decode for a call that has to have an id.
func (c *Call) decodeExisting(object []byte) error {
	if err := c.decode(object); err != nil {
		return err
	}
	if c.ID == 0 {
		return errors.New("the call has no id")
	}
	return nil
}

// Cancellation is the success of CancelScheduledMany: the platform is canceling the
// calls. Make it with CancelScheduledMany; it is safe for concurrent use.
type Cancellation struct {
	// Location is the address, as it came, that shows how far the cancellation is.
	// It is "" if the platform gave none.
	Location string
	// StatusCode and Header are those of the response.
	StatusCode int
	Header     http.Header

	client *Client
}

// CancelScheduledMany cancels scheduled calls. The ids must be positive, without
// repetition, and at least one; how many the platform accepts is not documented. It
// can be repeated without harm, so it is attempted again like a read.
//
// Success means that the platform accepted the request, not that the calls are
// canceled: see Cancellation.Fetch.
//
// Reference: "Callback call API", cancel scheduled calls in bulk.
func (c *Client) CancelScheduledMany(ctx context.Context, callIDs []int64) (*Cancellation, error) {
	if err := checkCallIDs(callIDs); err != nil {
		return nil, err
	}
	body := struct {
		CallIDs []int64 `json:"call_ids"`
	}{callIDs}
	o, err := c.send(ctx, operation{name: "CancelScheduledMany", method: http.MethodPatch, route: cancelManyRoute, in: body})
	if err != nil {
		return nil, err
	}
	response := o.result.Response
	return &Cancellation{
		Location: response.Header.Get("Location"), StatusCode: response.StatusCode, Header: response.Header, client: c,
	}, nil
}

func checkCallIDs(ids []int64) error {
	if len(ids) == 0 {
		return invalid("call_ids", "is required", ErrParameterMissing)
	}
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		switch {
		case id <= 0:
			return invalid("call_ids", "has an id that is not positive", ErrCallIDInvalid)
		case seen[id]:
			return invalid("call_ids", "has an id twice", ErrCallIDInvalid)
		}
		seen[id] = true
	}
	return nil
}

// Fetch reads what Location shows and decodes its JSON into out, like Client.Do.
// What the platform shows there is not documented.
//
// The request is sent to where the Client sends everything, with its credentials
// and limits. Location must be below /apps/api/v1, and be relative or on that host
// or on the platform's own host, which can differ if there is a gateway in between.
// Any other Location is an error, and nothing is sent.
//
// Experimental: the address is documented, its response is not.
func (c *Cancellation) Fetch(ctx context.Context, out any) error {
	if c == nil || c.client == nil {
		return notSent("Cancellation.Fetch", errors.New("it was not made by CancelScheduledMany"))
	}
	path, query, err := c.client.locate(c.Location)
	if err != nil {
		return err
	}
	o, err := c.client.send(ctx, operation{
		name: "Cancellation.Fetch", method: http.MethodGet, route: appsPath + "/…", path: path, query: query,
	})
	if err != nil {
		return err
	}
	return o.decodeInto(ctx, out)
}

// locate returns the path below the Client's root, escaped, and the query of an
// address that the platform gave. Neither its scheme nor its host is ever used.
func (c *Client) locate(location string) (path, query string, err error) {
	root, err := url.Parse(c.root)
	if err != nil {
		return "", "", invalid("location", "cannot be compared with the base URL", nil)
	}
	u, err := url.Parse(location)
	switch {
	case location == "":
		return "", "", invalid("location", "is missing: the platform gave none", nil)
	case err != nil || u.Opaque != "" || u.User != nil || u.Path == "" || u.Scheme != "" && u.Host == "":
		return "", "", invalid("location", "is not an address", nil)
	case u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http":
		return "", "", invalid("location", "is not an address of HTTP", nil)
	case u.Host != "" && !isAt(u, root.Hostname(), root.Port()) && !isAt(u, c.platform, ""):
		return "", "", invalid("location", "leads to another host", nil)
	case strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", "", invalid("location", "has a query that is not escaped", nil)
	}
	path = u.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = scheduledRoute + "/" + path // relative to the request
	}
	if prefix := strings.TrimRight(root.EscapedPath(), "/"); strings.HasPrefix(path, prefix+appsPath+"/") {
		path = strings.TrimPrefix(path, prefix)
	}
	below, isBelow := strings.CutPrefix(path, appsPath+"/")
	if !isBelow {
		return "", "", invalid("location", "is not below "+appsPath, nil)
	}
	for segment := range strings.SplitSeq(below, "/") {
		if !isPlainSegment(segment) {
			return "", "", invalid("location", "has a path that can lead elsewhere", nil)
		}
	}
	return path, u.RawQuery, nil
}

// isAt reports whether u names host. A scheme and a port that a gateway changes on
// the way do not matter, but a port that is given must be host's.
func isAt(u *url.URL, host, port string) bool {
	isDefault := port == "" && (u.Port() == "443" || u.Port() == "80")
	return strings.EqualFold(u.Hostname(), host) && (u.Port() == "" || u.Port() == port || isDefault)
}

// isPlainSegment reports whether an escaped path segment means itself to every
// server, also to one that decodes it twice or cuts it at a semicolon.
func isPlainSegment(escaped string) bool {
	segment, err := url.PathUnescape(escaped)
	return err == nil && segment != "" && segment != "." && segment != ".." &&
		!strings.ContainsAny(segment, `/\%?#;`) && !strings.ContainsFunc(segment, isControl)
}
