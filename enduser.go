package calls

import (
	"context"
	"net/http"
)

// EndUserAuth is who the end user of a call turned out to be. Empty fields are not
// sent. As JSON it keeps all its data; printed it shows none.
//
// Reference: none; this is how the endpoint was seen in use.
type EndUserAuth struct {
	// Identifier is the customer's own name for the end user. Required.
	Identifier string `json:"identifier,omitempty"`
	Name       string `json:"name,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
}

// AuthenticateEndUser tells the platform, while a call runs, who its end user
// is. It is attempted again only when the platform cannot have acted on it, as
// a create is; ErrOutcomeUnknown means that it may have.
//
// Reference: none; this is how the endpoint was seen in use.
func (c *Client) AuthenticateEndUser(ctx context.Context, callID int64, endUser EndUserAuth) error {
	if err := checkCallID(callID); err != nil {
		return err
	}
	if endUser.Identifier == "" {
		return invalid("identifier", "is required", ErrParameterMissing)
	}
	_, err := c.send(ctx, operation{
		name: "AuthenticateEndUser", method: http.MethodPost, route: callsRoute + "/:id/end_user", id: callID, in: endUser,
	})
	return err
}
