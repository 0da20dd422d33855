package calls

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// managerPath is the root of the Manager API.
const managerPath = "/manager/api/v1"

// Response is the status and the header of a response.
type Response struct {
	StatusCode int
	Header     http.Header
}

// Do sends a request to an endpoint that this package does not know, with the
// authentication, pacing, limits and errors of the others. A POST is sent with the
// care of a create; GET, PUT, PATCH and DELETE are attempted again like a read.
//
// Pass the path unescaped and without a query. A path that begins with
// "/apps/api/v1/" or "/manager/api/v1/" is taken whole; any other, such as
// "calls/397/customer_flag", is below /apps/api/v1. in is sent as JSON unless it is
// nil, and must be nil for a GET.
//
// The JSON of a successful response is decoded into out, unless out is nil or the
// response has no body; a *Call is decoded leniently. Do returns ErrUndecodable
// if the body is not JSON or does not fit out.
//
// The Response is nil if the platform did not respond; it can be there together
// with an error.
//
// Experimental: the caller has to know what the endpoint does.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, in, out any) (*Response, error) {
	escaped, root, err := safePath(path)
	if err != nil {
		return nil, err
	}
	op := operation{name: "Do", method: method, path: escaped, route: root + "/…", query: query.Encode(), in: in}
	switch method {
	case http.MethodGet:
		if in != nil {
			return nil, invalid("in", "is not sent with a GET", nil)
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return nil, invalid("method", "is none of GET, POST, PUT, PATCH and DELETE", nil)
	}
	o, err := c.send(ctx, op)
	if err == nil {
		err = o.decodeInto(ctx, out)
	}
	if o == nil || o.result.Response == nil {
		return nil, err
	}
	return &Response{StatusCode: o.result.Response.StatusCode, Header: o.result.Response.Header}, err
}

// decodeInto decodes the JSON of a response of an unknown kind.
func (o *outcome) decodeInto(ctx context.Context, out any) error {
	response := o.result.Response
	if out == nil || len(response.Body) == 0 && response.Truncated == nil {
		return nil
	}
	return o.decode(ctx, func(body []byte) error { return json.Unmarshal(body, out) })
}

// safePath returns an escaped path, and the root of the API that it is below. It
// refuses dot segments, which servers resolve.
func safePath(path string) (escaped, root string, err error) {
	root, path, err = splitRoot(strings.TrimPrefix(path, "/"))
	if err != nil {
		return "", "", err
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return "", "", invalid("path", "has an empty segment or a dot segment", nil)
		case strings.ContainsAny(segment, `?#\`) || strings.ContainsFunc(segment, isControl):
			return "", "", invalid("path", "has a query, a fragment, a backslash or a control character", nil)
		}
		segments[i] = url.PathEscape(segment)
	}
	return root + "/" + strings.Join(segments, "/"), root, nil
}

// splitRoot finds the API that a path without a first slash is of: the Apps API,
// unless it says otherwise.
func splitRoot(path string) (root, below string, err error) {
	for _, root := range []string{appsPath, managerPath} {
		if below, isBelow := strings.CutPrefix("/"+path, root+"/"); isBelow {
			return root, below, nil
		}
		if first, _, _ := strings.Cut(root[1:], "/"); path == first || strings.HasPrefix(path, first+"/") {
			return "", "", invalid("path", "is below neither "+appsPath+" nor "+managerPath, nil)
		}
	}
	return appsPath, path, nil
}
