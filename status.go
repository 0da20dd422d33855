package calls

// CallStatus tells how far a call has come. It is an open set: a value that
// the platform adds later is kept as it came, and IsKnown reports false for it.
//
// Reference: "Call endpoints", call statuses.
type CallStatus string

// The documented statuses of a call.
const (
	// CallStatusSelecting: the end user is still in the menus, before a leaf menu.
	CallStatusSelecting CallStatus = "selecting"
	// CallStatusQueued: a leaf menu was chosen and the call is offered to agents.
	CallStatusQueued CallStatus = "queued"
	// CallStatusAssigned: an agent was chosen to take the call.
	CallStatusAssigned CallStatus = "assigned"
	// CallStatusConnecting: an agent is assigned and the connection is being set up.
	CallStatusConnecting CallStatus = "connecting"
	// CallStatusConnected: agent and end user are in the call.
	CallStatusConnected CallStatus = "connected"
	// CallStatusSwitching: the call failed to connect and is tried again through
	// another VoIP provider.
	CallStatusSwitching CallStatus = "switching"
	// CallStatusFinished: the call ended after it had connected.
	CallStatusFinished CallStatus = "finished"
	// CallStatusFailed: the call ended before it connected; see Call.FailReason.
	CallStatusFailed CallStatus = "failed"
	// CallStatusRecovered: a failed call was called back, and the call-back (a child
	// of this call) ended without error.
	CallStatusRecovered CallStatus = "recovered"
	// CallStatusScheduled: the end user scheduled a call for later.
	CallStatusScheduled CallStatus = "scheduled"
	// CallStatusActionOnly: the call is handled by the customer's own telephony
	// provider, tied to the platform's mobile SDK.
	CallStatusActionOnly CallStatus = "action_only"
	// CallStatusActionOnlyFinished: an action-only call that has ended.
	CallStatusActionOnlyFinished CallStatus = "action_only_finished"
	// CallStatusDeflected: the call was sent elsewhere because of overload or
	// closed hours.
	CallStatusDeflected CallStatus = "deflected"
	// CallStatusVoicemail: the end user is leaving a voicemail.
	CallStatusVoicemail CallStatus = "voicemail"
	// CallStatusVoicemailReceived: a voicemail was left and nobody has heard it yet.
	CallStatusVoicemailReceived CallStatus = "voicemail_received"
	// CallStatusVoicemailRead: an agent opened the voicemail.
	CallStatusVoicemailRead CallStatus = "voicemail_read"
)

// IsKnown reports whether the reference documents this status.
func (s CallStatus) IsKnown() bool {
	switch s {
	case CallStatusSelecting, CallStatusQueued, CallStatusAssigned, CallStatusConnecting,
		CallStatusConnected, CallStatusSwitching, CallStatusScheduled, CallStatusActionOnly,
		CallStatusVoicemail:
		return true
	}
	return s.IsTerminal()
}

// IsTerminal reports whether a call with this status has ended for the end
// user. What can still happen to it afterwards is book-keeping: a failed call
// can become recovered, a received voicemail becomes a read one. Of an unknown
// status nothing is known, so it is not terminal.
func (s CallStatus) IsTerminal() bool {
	switch s {
	case CallStatusFinished, CallStatusFailed, CallStatusRecovered, CallStatusActionOnlyFinished,
		CallStatusDeflected, CallStatusVoicemailReceived, CallStatusVoicemailRead:
		return true
	}
	return false
}

// CallType tells how a call came about. It is an open set: calls that were
// created elsewhere carry other types ("Voice Inbound (IVR)"), which are kept
// as they came.
//
// Reference: "Call endpoints", call types.
type CallType string

// The call types that the calls API creates.
const (
	CallTypeOutbound  CallType = "Voice Outbound (API)"
	CallTypeInbound   CallType = "Voice Inbound (API)"
	CallTypeScheduled CallType = "Voice Scheduled (API)"
)

// The deprecated names of the same types. The platform still accepts them;
// this package never sends them.
const (
	CallTypeOutboundDeprecated  CallType = "OutboundCall"
	CallTypeInboundDeprecated   CallType = "IncomingCall"
	CallTypeScheduledDeprecated CallType = "ScheduledCall"
)

// Canonical returns the current name of a type that is given by its deprecated
// name, and every other type as it is.
func (t CallType) Canonical() CallType {
	switch t {
	case CallTypeOutboundDeprecated:
		return CallTypeOutbound
	case CallTypeInboundDeprecated:
		return CallTypeInbound
	case CallTypeScheduledDeprecated:
		return CallTypeScheduled
	}
	return t
}

// IsDeprecated reports whether t is one of the three deprecated names.
func (t CallType) IsDeprecated() bool { return t != t.Canonical() }

// IsKnown reports whether the reference documents this type, by its current or
// its deprecated name.
func (t CallType) IsKnown() bool {
	switch t.Canonical() {
	case CallTypeOutbound, CallTypeInbound, CallTypeScheduled:
		return true
	}
	return false
}

// RecordingPermission tells whether the end user agreed to be recorded. The
// platform looks at it only where the queue's recording option is "ask the
// user". A request takes one of the first three constants; a call object
// reports a shorter spelling.
//
// Reference: "Call endpoints", recording_permission.
type RecordingPermission string

const (
	// RecordingPermissionNotAsked is the platform's default.
	RecordingPermissionNotAsked RecordingPermission = "recording_permission_not_asked"
	RecordingPermissionDenied   RecordingPermission = "recording_permission_denied"
	RecordingPermissionGranted  RecordingPermission = "recording_permission_granted"

	// RecordingPermissionReportedNotAsked is what a call object says where a
	// request says RecordingPermissionNotAsked. A request that carries it is
	// refused.
	RecordingPermissionReportedNotAsked RecordingPermission = "not_asked"
)

// IsKnown reports whether the reference documents this value, in a request or
// in a call object.
func (p RecordingPermission) IsKnown() bool {
	return p.isSendable() || p == RecordingPermissionReportedNotAsked
}

// isSendable reports whether a request may carry this value.
func (p RecordingPermission) isSendable() bool {
	switch p {
	case RecordingPermissionNotAsked, RecordingPermissionDenied, RecordingPermissionGranted:
		return true
	}
	return false
}
