package calls

import (
	"context"
	"net/http"
)

const endUserRoute = callsRoute + "/:id/end_user"

// EndUserAuth is who the end user of a call turned out to be. Empty fields are not
// sent. As JSON it keeps all its data; printed it shows none.
//
// Reference: "Mid-session end-user authentication".
type EndUserAuth struct {
	// Identifier is the customer's own name for the end user. Required.
	Identifier string `json:"identifier,omitempty"`
	Name       string `json:"name,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
}

// AuthenticateEndUser tells the platform, during a call, who its end user is. Like a
// create it is attempted again only if the platform cannot have acted on it;
// ErrOutcomeUnknown means that it may have. ErrCallEnded, ErrCRMUnsupported and
// ErrDuplicateRequest are the platform's refusals of this operation. Versions of the
// platform before 3.39 support it for some CRMs only.
//
// Reference: "Mid-session end-user authentication".
func (c *Client) AuthenticateEndUser(ctx context.Context, callID int64, endUser EndUserAuth) error {
	if err := checkCallID(callID); err != nil {
		return err
	}
	if endUser.Identifier == "" {
		return invalid("identifier", "is required", ErrParameterMissing)
	}
	_, err := c.send(ctx, operation{
		name: "AuthenticateEndUser", method: http.MethodPost, route: endUserRoute, id: callID, in: endUser,
	})
	return err
}
