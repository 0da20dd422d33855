package calls

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// The sentinels of AuthenticateEndUser.
var (
	// ErrCallEnded: the call is over.
	ErrCallEnded = newSentinel("the call has ended", ErrInvalidRequest)
	// ErrCRMUnsupported: the customer's CRM takes no such request.
	ErrCRMUnsupported = newSentinel("the CRM does not support the request", ErrInvalidRequest)
	// ErrDuplicateRequest: the same request came a short time ago. Wait.
	ErrDuplicateRequest = newSentinel("the same request came a short time ago", ErrInvalidRequest)
)

// EndUser is who the end user of a call turned out to be. Empty fields are not
// sent. As JSON it keeps all its data; printed it shows none.
//
// Reference: none; this is how the endpoint was seen in use.
type EndUser struct {
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
func (c *Client) AuthenticateEndUser(ctx context.Context, callID int64, endUser EndUser) error {
	if err := checkCallID("id", callID); err != nil {
		return err
	}
	if endUser.Identifier == "" {
		return &ValidationError{Field: "identifier", Reason: "is required", problem: ErrParameterMissing}
	}
	body, err := json.Marshal(endUser)
	if err != nil {
		return fmt.Errorf("calls: AuthenticateEndUser: %w", err)
	}
	_, err = c.send(ctx, operation{
		name: "AuthenticateEndUser", method: http.MethodPost,
		path: fmt.Sprintf("%s/%d/end_user", callsPath, callID), template: callsPath + "/:id/end_user", body: body,
	})
	return err
}
