package calls_test

import (
	"testing"

	"github.com/ccaip-go/calls"
)

func TestFailReasons(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reason calls.FailReason
		wire   string
		number int
		cause  calls.FailCause
	}{
		{calls.FailReasonNothing, "nothing", 0, ""},
		{calls.FailReasonUnknown, "unknown", 10001, calls.FailCausePlatform},
		{calls.FailReasonExpired, "expired", 11001, calls.FailCausePlatform},
		{calls.FailReasonTransferExpired, "transfer_expired", 11002, calls.FailCausePlatform},
		{calls.FailReasonEndUserCanceled, "eu_canceled", 20001, calls.FailCauseEndUser},
		{calls.FailReasonEndUserRejected, "eu_rejected", 20002, calls.FailCauseEndUser},
		{calls.FailReasonEndUserAbandoned, "eu_abandoned", 20003, calls.FailCauseEndUser},
		{calls.FailReasonEndUserInMenuAbandoned, "eu_in_menu_abandoned", 20004, calls.FailCauseEndUser},
		{calls.FailReasonEndUserRepeatedVoicemail, "eu_repeated_voicemail", 20005, calls.FailCauseEndUser},
		{calls.FailReasonEndUserRepeatedCallback, "eu_repeated_callback", 20006, calls.FailCauseEndUser},
		{calls.FailReasonEndUserBusy, "eu_busy", 21001, calls.FailCauseEndUser},
		{calls.FailReasonEndUserWrongNumber, "eu_wrong_number", 21002, calls.FailCauseEndUser},
		{calls.FailReasonEndUserNoAnswer, "eu_no_answer", 21003, calls.FailCauseEndUser},
		{calls.FailReasonEndUserNotificationFailed, "eu_noti_failed", 22001, calls.FailCauseEndUser},
		{calls.FailReasonAgentCanceled, "ag_canceled", 30001, calls.FailCauseAgent},
		{calls.FailReasonAgentIgnored, "ag_ignored", 30002, calls.FailCauseAgent},
		{calls.FailReasonAgentMicNoDevice, "ag_mic_no_device", 31001, calls.FailCauseAgent},
		{calls.FailReasonAgentMicDenied, "ag_mic_denied", 31002, calls.FailCauseAgent},
		{calls.FailReasonVoIPTwilioError, "voip_twilio_error", 41001, calls.FailCauseProvider},
		{calls.FailReasonVoIPTokBoxError, "voip_tokbox_error", 42001, calls.FailCauseProvider},
		{calls.FailReasonVoIPNexmoError, "voip_nexmo_error", 45001, calls.FailCauseProvider},
		{calls.FailReasonVoIPInvalidToken, "voip_invalid_token", 43001, calls.FailCauseProvider},
		{calls.FailReasonVoIPConnectionGeneral, "voip_conn_general", 44001, calls.FailCauseProvider},
		{calls.FailReasonVoIPConnectionTimeout, "voip_conn_timeout", 44002, calls.FailCauseProvider},
		{calls.FailReasonVoIPConnectionSignal, "voip_conn_signal", 44003, calls.FailCauseProvider},
		{calls.FailReasonStuckDueToAPIError, "stuck_due_to_api_error", 50001, calls.FailCausePlatform},
		{calls.FailReasonGroupDeletedNoSubstitute, "group_deleted_no_substitute", 50002, calls.FailCausePlatform},
		{calls.FailReasonMenuDeleted, "menu_deleted", 50003, calls.FailCausePlatform},
		{calls.FailReasonDirectPSTNCallToFallbackNumber, "direct_pstn_call_to_fallback_number", 60001, calls.FailCauseRedirected},
	}
	if len(tests) != 29 {
		t.Errorf("%d reasons, want the 29 that are documented", len(tests))
	}
	for _, tt := range tests {
		if string(tt.reason) != tt.wire || !tt.reason.IsKnown() || tt.reason.Number() != tt.number || tt.reason.Cause() != tt.cause {
			t.Errorf("%q: known %v, number %d, cause %q, want %q, known, %d, %q",
				tt.reason, tt.reason.IsKnown(), tt.reason.Number(), tt.reason.Cause(), tt.wire, tt.number, tt.cause)
		}
	}
	for _, reason := range []calls.FailReason{"", "EU_BUSY", "eu_busy ", "21001", "eu_asleep"} {
		if reason.IsKnown() || reason.Number() != 0 || reason.Cause() != "" {
			t.Errorf("%q: known %v, number %d, cause %q", reason, reason.IsKnown(), reason.Number(), reason.Cause())
		}
	}
}

func TestCanceledStatusesAreTerminal(t *testing.T) {
	t.Parallel()
	for status, wire := range map[calls.CallStatus]string{calls.CallStatusCancelled: "cancelled", calls.CallStatusCompleted: "completed"} {
		if string(status) != wire || !status.IsKnown() || !status.IsTerminal() {
			t.Errorf("%q: known %v, terminal %v", status, status.IsKnown(), status.IsTerminal())
		}
	}
	if status := calls.CallStatus("canceled"); status.IsKnown() {
		t.Errorf("%q is known", status)
	}
}

func TestMenuTypes(t *testing.T) {
	t.Parallel()
	for menuType, wire := range map[calls.MenuType]string{
		calls.MenuTypeIVR: "ivr_menu", calls.MenuTypeMobile: "mobile_menu", calls.MenuTypeWeb: "web_menu",
	} {
		if string(menuType) != wire || !menuType.IsKnown() {
			t.Errorf("%q, want %q, known", menuType, wire)
		}
	}
	if calls.MenuType("sms_menu").IsKnown() || calls.MenuType("").IsKnown() {
		t.Error("an unknown menu type is known")
	}
}

func TestCallStatuses(t *testing.T) {
	t.Parallel()
	tests := map[calls.CallStatus]struct {
		wire     string
		terminal bool
	}{
		calls.CallStatusSelecting:          {"selecting", false},
		calls.CallStatusQueued:             {"queued", false},
		calls.CallStatusAssigned:           {"assigned", false},
		calls.CallStatusConnecting:         {"connecting", false},
		calls.CallStatusConnected:          {"connected", false},
		calls.CallStatusSwitching:          {"switching", false},
		calls.CallStatusFinished:           {"finished", true},
		calls.CallStatusFailed:             {"failed", true},
		calls.CallStatusRecovered:          {"recovered", true},
		calls.CallStatusScheduled:          {"scheduled", false},
		calls.CallStatusActionOnly:         {"action_only", false},
		calls.CallStatusActionOnlyFinished: {"action_only_finished", true},
		calls.CallStatusDeflected:          {"deflected", true},
		calls.CallStatusVoicemail:          {"voicemail", false},
		calls.CallStatusVoicemailReceived:  {"voicemail_received", true},
		calls.CallStatusVoicemailRead:      {"voicemail_read", true},
	}
	if len(tests) != 16 {
		t.Errorf("%d statuses, want the 16 that are documented", len(tests))
	}
	for status, want := range tests {
		if string(status) != want.wire || !status.IsKnown() || status.IsTerminal() != want.terminal {
			t.Errorf("%q: known %v, terminal %v, want %q, known, terminal %v", status, status.IsKnown(), status.IsTerminal(), want.wire, want.terminal)
		}
	}
	for _, status := range []calls.CallStatus{"", "Finished", "finished ", "new"} {
		if status.IsKnown() || status.IsTerminal() {
			t.Errorf("%q is known or terminal", status)
		}
	}
}

func TestCallTypes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		callType, canonical calls.CallType
		known, deprecated   bool
	}{
		{"Voice Outbound (API)", calls.CallTypeOutbound, true, false},
		{"Voice Inbound (API)", calls.CallTypeInbound, true, false},
		{"Voice Scheduled (API)", calls.CallTypeScheduled, true, false},
		{"OutboundCall", calls.CallTypeOutbound, true, true},
		{"IncomingCall", calls.CallTypeInbound, true, true},
		{"ScheduledCall", calls.CallTypeScheduled, true, true},
		{"Voice Inbound (IVR)", "Voice Inbound (IVR)", false, false},
		{"voice outbound (api)", "voice outbound (api)", false, false},
		{"", "", false, false},
	}
	for _, test := range tests {
		if got := test.callType.Canonical(); got != test.canonical {
			t.Errorf("%q: canonical %q, want %q", test.callType, got, test.canonical)
		}
		if test.callType.IsKnown() != test.known || test.callType.IsDeprecated() != test.deprecated {
			t.Errorf("%q: known %v, deprecated %v", test.callType, test.callType.IsKnown(), test.callType.IsDeprecated())
		}
	}
}

func TestRecordingPermissions(t *testing.T) {
	t.Parallel()
	for permission, wire := range map[calls.RecordingPermission]string{
		calls.RecordingPermissionNotAsked:         "recording_permission_not_asked",
		calls.RecordingPermissionDenied:           "recording_permission_denied",
		calls.RecordingPermissionGranted:          "recording_permission_granted",
		calls.RecordingPermissionReportedNotAsked: "not_asked",
	} {
		if string(permission) != wire || !permission.IsKnown() {
			t.Errorf("%q, want %q, known", permission, wire)
		}
	}
	for _, permission := range []calls.RecordingPermission{"", "granted", "NOT_ASKED"} {
		if permission.IsKnown() {
			t.Errorf("%q is known", permission)
		}
	}
}
