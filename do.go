package calls

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Do sends a request to an endpoint of the Apps API that this package does not
// know, with the authentication, pacing, limits and errors of the others. A
// POST is sent with the care of a create; GET, PUT, PATCH and DELETE are
// attempted again like a read.
//
// The path is below /apps/api/v1, such as "calls/397/customer_flag", not
// escaped, and without a query. in is sent as JSON unless it is nil, and has to
// be nil for a GET. The JSON of a successful answer is decoded into out unless
// out is nil or the answer has no body; what of it is not JSON, or does not fit
// out, is ErrUndecodable.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	escaped, err := safePath(path)
	if err != nil {
		return err
	}
	op := operation{name: "Do", method: method, path: escaped, route: appsPath + "/…", in: in}
	switch method {
	case http.MethodGet:
		if in != nil {
			return invalid("in", "is not sent with a GET", nil)
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return invalid("method", "is none of GET, POST, PUT, PATCH and DELETE", nil)
	}
	o, err := c.send(ctx, op)
	if err != nil || out == nil || len(o.result.Response.Body) == 0 && o.result.Response.Truncated == nil {
		return err
	}
	return o.decode(ctx, func(body []byte) error { return json.Unmarshal(body, out) })
}

// safePath joins a path below the Apps API. An escaped path cannot leave it,
// except by the names that joining takes for steps.
func safePath(path string) (string, error) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return "", invalid("path", "has an empty segment or one of dots", nil)
		case strings.ContainsAny(segment, `?#\`) || strings.ContainsFunc(segment, isControl):
			return "", invalid("path", "has a query, a fragment, a backslash or a control character", nil)
		}
		segments[i] = url.PathEscape(segment)
	}
	return appsPath + "/" + strings.Join(segments, "/"), nil
}
