package calls

// CallStatus is how far a call has come. It is an open set: a value that the
// platform adds later is kept as it came, and IsKnown reports false for it.
//
// Reference: "Call endpoints", call statuses; "Callback call API" for
// CallStatusCancelled and CallStatusCompleted.
type CallStatus string

// The documented statuses of a call.
const (
	// CallStatusSelecting means that the end user is still in the menus, before a leaf menu.
	CallStatusSelecting CallStatus = "selecting"
	// CallStatusQueued means that a leaf menu was chosen and the call is offered to agents.
	CallStatusQueued CallStatus = "queued"
	// CallStatusAssigned means that an agent was chosen to take the call.
	CallStatusAssigned CallStatus = "assigned"
	// CallStatusConnecting means that an agent is assigned and the connection is being set up.
	CallStatusConnecting CallStatus = "connecting"
	// CallStatusConnected means that agent and end user are in the call.
	CallStatusConnected CallStatus = "connected"
	// CallStatusSwitching means that the call failed to connect and is tried again through
	// another VoIP provider.
	CallStatusSwitching CallStatus = "switching"
	// CallStatusFinished means that the call ended after it had connected.
	CallStatusFinished CallStatus = "finished"
	// CallStatusFailed means that the call ended before it connected; see Call.FailReason.
	CallStatusFailed CallStatus = "failed"
	// CallStatusRecovered means that a failed call was called back, and the call-back (a child
	// of this call) ended without error.
	CallStatusRecovered CallStatus = "recovered"
	// CallStatusScheduled means that the end user scheduled a call for later.
	CallStatusScheduled CallStatus = "scheduled"
	// CallStatusActionOnly means that the call is handled by the customer's own telephony
	// provider, tied to the platform's mobile SDK.
	CallStatusActionOnly CallStatus = "action_only"
	// CallStatusActionOnlyFinished means that an action-only call has ended.
	CallStatusActionOnlyFinished CallStatus = "action_only_finished"
	// CallStatusDeflected means that the call was sent elsewhere because of overload or
	// closed hours.
	CallStatusDeflected CallStatus = "deflected"
	// CallStatusVoicemail means that the end user is leaving a voicemail.
	CallStatusVoicemail CallStatus = "voicemail"
	// CallStatusVoicemailReceived means that a voicemail was left and not heard yet.
	CallStatusVoicemailReceived CallStatus = "voicemail_received"
	// CallStatusVoicemailRead means that an agent opened the voicemail.
	CallStatusVoicemailRead CallStatus = "voicemail_read"
	// CallStatusCancelled means that a scheduled call was canceled while it waited for its
	// time or in the queue.
	CallStatusCancelled CallStatus = "cancelled"
	// CallStatusCompleted means that a scheduled call was canceled after a virtual agent had
	// dialed for it.
	CallStatusCompleted CallStatus = "completed"
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

// IsTerminal reports whether a call with this status has ended for the end user.
// Only book-keeping can change it afterwards: a failed call can become recovered,
// and a received voicemail a read one. An unknown status is not terminal.
func (s CallStatus) IsTerminal() bool {
	switch s {
	case CallStatusFinished, CallStatusFailed, CallStatusRecovered, CallStatusActionOnlyFinished,
		CallStatusDeflected, CallStatusVoicemailReceived, CallStatusVoicemailRead,
		CallStatusCancelled, CallStatusCompleted:
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
// platform uses it only where the queue's recording option is "ask the user". A
// request takes one of the first three constants; a call object reports a shorter
// spelling.
//
// Reference: "Call endpoints", recording_permission.
type RecordingPermission string

const (
	// RecordingPermissionNotAsked is the platform's default.
	RecordingPermissionNotAsked RecordingPermission = "recording_permission_not_asked"
	// RecordingPermissionDenied means that the end user does not permit a recording.
	RecordingPermissionDenied RecordingPermission = "recording_permission_denied"
	// RecordingPermissionGranted means that the end user permits a recording.
	RecordingPermissionGranted RecordingPermission = "recording_permission_granted"

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

// MenuType is the kind of a queue menu. It is an open set.
//
// Reference: "Queue status", menu_type.
type MenuType string

// The documented menu types.
const (
	MenuTypeIVR    MenuType = "ivr_menu"
	MenuTypeMobile MenuType = "mobile_menu"
	MenuTypeWeb    MenuType = "web_menu"
)

// IsKnown reports whether the reference documents this menu type.
func (t MenuType) IsKnown() bool {
	return t == MenuTypeIVR || t == MenuTypeMobile || t == MenuTypeWeb
}

// ChannelType is a way to reach a queue. It is an open set, and its spelling
// depends on the endpoint.
//
// Reference: "Queue operation statuses" and "Wait time", channel_type.
type ChannelType string

const (
	// ChannelTypeCall is a call, as QueueOperation spells it.
	ChannelTypeCall ChannelType = "call"
	// ChannelTypeVoiceCall is a call, as WaitTimes spells it.
	ChannelTypeVoiceCall ChannelType = "voice_call"
	// ChannelTypeChat is a chat, as WaitTimes spells it.
	ChannelTypeChat ChannelType = "chat"
)

// VoIPProvider is the provider that carries a call. It is an open set: the
// reference shows one value, and says that a call can switch to another provider.
//
// Reference: "Call endpoints", the call object.
type VoIPProvider string

// VoIPProviderTwilio is the provider of every documented example.
const VoIPProviderTwilio VoIPProvider = "voip_provider_twilio"

// ParticipantType is what a participant is in a call. It is an open set.
//
// Reference: "Call endpoints", the call object; "Add third party to call".
type ParticipantType string

// The types of participants in the documented examples.
const (
	ParticipantTypeAgent      ParticipantType = "agent"
	ParticipantTypeEndUser    ParticipantType = "end_user"
	ParticipantTypeThirdParty ParticipantType = "third_party"
)

// ParticipantStatus is how far a participant has come. It is an open set, which
// the reference does not list.
//
// Reference: "Call endpoints", the call object; "Add third party to call".
type ParticipantStatus string

const (
	// ParticipantStatusWaiting is the status in every documented call.
	ParticipantStatusWaiting ParticipantStatus = "waiting"
	// ParticipantStatusConnecting is that of a third party who is being dialed.
	ParticipantStatusConnecting ParticipantStatus = "connecting"
	// ParticipantStatusDialing is the same in an older version of the platform.
	ParticipantStatusDialing ParticipantStatus = "dialing"
)

// FailReason is why a call, a transfer or a participant failed. It is an open
// set: a value that is not known here is kept as it came.
//
// Reference: "Reason codes and statuses".
type FailReason string

// The documented fail reasons, in the order of their numbers. The comment says
// what happened where the name alone does not.
const (
	FailReasonNothing FailReason = "nothing" // the call did not fail

	FailReasonUnknown         FailReason = "unknown"          // the platform does not know why
	FailReasonExpired         FailReason = "expired"          // the connection timed out
	FailReasonTransferExpired FailReason = "transfer_expired" // the transfer timed out

	FailReasonEndUserCanceled           FailReason = "eu_canceled"           // the end user hung up while being connected
	FailReasonEndUserRejected           FailReason = "eu_rejected"           // the end user declined an outbound call
	FailReasonEndUserAbandoned          FailReason = "eu_abandoned"          // the end user left the queue
	FailReasonEndUserInMenuAbandoned    FailReason = "eu_in_menu_abandoned"  // the end user left the menu
	FailReasonEndUserRepeatedVoicemail  FailReason = "eu_repeated_voicemail" // a voicemail of the end user is already waiting
	FailReasonEndUserRepeatedCallback   FailReason = "eu_repeated_callback"  // the end user already asked for a callback
	FailReasonEndUserBusy               FailReason = "eu_busy"               // the end user is busy
	FailReasonEndUserWrongNumber        FailReason = "eu_wrong_number"       // the number is wrong
	FailReasonEndUserNoAnswer           FailReason = "eu_no_answer"          // the end user did not pick up
	FailReasonEndUserNotificationFailed FailReason = "eu_noti_failed"        // browser notifications are off

	FailReasonAgentCanceled    FailReason = "ag_canceled" // the call failed while the agent was being connected
	FailReasonAgentIgnored     FailReason = "ag_ignored"  // the agent did not pick up
	FailReasonAgentMicNoDevice FailReason = "ag_mic_no_device"
	FailReasonAgentMicDenied   FailReason = "ag_mic_denied"

	FailReasonVoIPTwilioError       FailReason = "voip_twilio_error"
	FailReasonVoIPTokBoxError       FailReason = "voip_tokbox_error"
	FailReasonVoIPInvalidToken      FailReason = "voip_invalid_token"
	FailReasonVoIPConnectionGeneral FailReason = "voip_conn_general"
	FailReasonVoIPConnectionTimeout FailReason = "voip_conn_timeout"
	FailReasonVoIPConnectionSignal  FailReason = "voip_conn_signal" // the connection is poor
	FailReasonVoIPNexmoError        FailReason = "voip_nexmo_error"

	FailReasonStuckDueToAPIError       FailReason = "stuck_due_to_api_error"
	FailReasonGroupDeletedNoSubstitute FailReason = "group_deleted_no_substitute"
	FailReasonMenuDeleted              FailReason = "menu_deleted"

	FailReasonDirectPSTNCallToFallbackNumber FailReason = "direct_pstn_call_to_fallback_number" // the call was sent to a fallback number
)

// failReasons has the documented number of each reason.
var failReasons = map[FailReason]int{
	FailReasonNothing:                        0,
	FailReasonUnknown:                        10001,
	FailReasonExpired:                        11001,
	FailReasonTransferExpired:                11002,
	FailReasonEndUserCanceled:                20001,
	FailReasonEndUserRejected:                20002,
	FailReasonEndUserAbandoned:               20003,
	FailReasonEndUserInMenuAbandoned:         20004,
	FailReasonEndUserRepeatedVoicemail:       20005,
	FailReasonEndUserRepeatedCallback:        20006,
	FailReasonEndUserBusy:                    21001,
	FailReasonEndUserWrongNumber:             21002,
	FailReasonEndUserNoAnswer:                21003,
	FailReasonEndUserNotificationFailed:      22001,
	FailReasonAgentCanceled:                  30001,
	FailReasonAgentIgnored:                   30002,
	FailReasonAgentMicNoDevice:               31001,
	FailReasonAgentMicDenied:                 31002,
	FailReasonVoIPTwilioError:                41001,
	FailReasonVoIPTokBoxError:                42001,
	FailReasonVoIPInvalidToken:               43001,
	FailReasonVoIPConnectionGeneral:          44001,
	FailReasonVoIPConnectionTimeout:          44002,
	FailReasonVoIPConnectionSignal:           44003,
	FailReasonVoIPNexmoError:                 45001,
	FailReasonStuckDueToAPIError:             50001,
	FailReasonGroupDeletedNoSubstitute:       50002,
	FailReasonMenuDeleted:                    50003,
	FailReasonDirectPSTNCallToFallbackNumber: 60001,
}

// IsKnown reports whether the reference documents this reason.
func (r FailReason) IsKnown() bool {
	_, known := failReasons[r]
	return known
}

// Number returns the documented number of the reason, such as 21003. It is 0 for
// FailReasonNothing, and for a reason that is not known.
func (r FailReason) Number() int { return failReasons[r] }

// FailCause is the side that a failure comes from: an open set of texts that
// people can read.
type FailCause string

const (
	// FailCauseEndUser means the end user, or the way to the end user.
	FailCauseEndUser FailCause = "end user"
	// FailCauseAgent means the agent, or the agent's device.
	FailCauseAgent FailCause = "agent"
	// FailCauseProvider means the voice provider.
	FailCauseProvider FailCause = "provider"
	// FailCausePlatform means the platform, or how it is set up.
	FailCausePlatform FailCause = "platform"
	// FailCauseRedirected means that the call was sent elsewhere.
	FailCauseRedirected FailCause = "redirected"
)

// Cause returns the side that the failure comes from, which the first digit of
// the number tells. It is "" for FailReasonNothing, and for a reason that is not
// known.
func (r FailReason) Cause() FailCause {
	switch r.Number() / 10000 {
	case 1, 5:
		return FailCausePlatform
	case 2:
		return FailCauseEndUser
	case 3:
		return FailCauseAgent
	case 4:
		return FailCauseProvider
	case 6:
		return FailCauseRedirected
	}
	return ""
}
