package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

const organizationRoute = managerPath + "/settings/organization"

// What a failed Ping says to check.
var (
	errPingHost        = errors.New("check the host")
	errPingCredentials = errors.New("check the credentials: the token, and the user name (see WithUsername)")
	errPingAccess      = errors.New("check the access to the Manager API: the host and the credentials are good")
)

// Ping checks the host, the credentials and the access to the Manager API by one
// harmless read. Its error says which of the three to check, unless it is about
// none of them: a platform that failed, a rate limit, or a context that ended.
//
// Experimental: the endpoint was seen in use, and is not documented.
func (c *Client) Ping(ctx context.Context) error {
	o, err := c.send(ctx, operation{name: "Ping", method: http.MethodGet, route: organizationRoute})
	if err == nil {
		err = o.decode(ctx, checkJSON)
	}
	var failed *OpError
	if !errors.As(err, &failed) || failed.Attempts == 0 || ctx.Err() != nil {
		return err
	}
	explained := *failed
	if check := pingProblem(failed); check != nil {
		explained.Causes = append([]error{check}, failed.Causes...)
	}
	return &explained
}

// checkJSON tells the platform from a login page, or a parked domain, that responds
// with 200 to everything.
func checkJSON(body []byte) error {
	if body = bytes.TrimSpace(body); len(body) > 0 && !json.Valid(body) {
		return errors.New("not a response of the platform")
	}
	return nil
}

// pingProblem returns what to check, nil for none of the three.
func pingProblem(err *OpError) error {
	switch {
	case errors.Is(err, ErrUnauthorized):
		return errPingCredentials
	case errors.Is(err, ErrForbidden):
		return errPingAccess
	case errors.Is(err, ErrRateLimited), errors.Is(err, ErrServer):
		return nil
	}
	return errPingHost // no response, a redirect, a 404, or another's page
}
