package calls_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
)

// problem is a ValidationError of a request that is not valid.
type problem struct {
	field string
	is    error
}

var (
	agentEmailRequired  = problem{"agent_email", calls.ErrAgentEmailRequired}
	agentEmailInvalid   = problem{"agent_email", calls.ErrAgentEmailInvalid}
	ticketMalformed     = problem{"ticket_id", calls.ErrInvalidRequest}
	ticketOrNumber      = problem{"end_user_number", calls.ErrTicketOrNumberRequired}
	endUserRequired     = problem{"end_user_number", calls.ErrEndUserNumberRequired}
	endUserMalformed    = problem{"end_user_number", calls.ErrEndUserNumberMalformed}
	outboundMalformed   = problem{"outbound_number", calls.ErrOutboundNumberMalformed}
	menuRequired        = problem{"menu_id", calls.ErrMenuIDRequired}
	menuMalformed       = problem{"menu_id", calls.ErrMenuIDMalformed}
	parentInvalid       = problem{"call_id", calls.ErrCallIDInvalid}
	languageMalformed   = problem{"lang", calls.ErrLanguageMalformed}
	permissionInvalid   = problem{"recording_permission", calls.ErrRecordingPermissionInvalid}
	scheduledAtRequired = problem{"scheduled_at", calls.ErrScheduledAtRequired}
	scheduledAtPast     = problem{"scheduled_at", calls.ErrScheduledAtPast}
	scheduledAtTooFar   = problem{"scheduled_at", calls.ErrInvalidRequest}
)

type outbound = calls.OutboundRequest

type inbound = calls.InboundRequest

type scheduled = calls.ScheduledRequest

func TestValidation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		request calls.CreateRequest
		want    []problem // nil if the request is sent
	}{
		// Outbound.
		{"outbound to a number", anOutbound, nil},
		{"outbound to a ticket", outbound{AgentEmail: "agent@example.com", TicketID: "71450"}, nil},
		{"outbound with everything", outbound{AgentEmail: "agent@example.com", TicketID: "71450", EndUserNumber: goodNumber, OutboundNumber: "+1 339-219-5276", Lang: "fr-CA"}, nil},
		{"outbound without an agent", outbound{EndUserNumber: goodNumber}, []problem{agentEmailRequired}},
		{"outbound without ticket and number", outbound{AgentEmail: "agent@example.com"}, []problem{ticketOrNumber}},
		{"outbound with a malformed number", with(anOutbound, func(r *outbound) { r.EndUserNumber = "123123" }), []problem{endUserMalformed}},
		{"outbound to a ticket with a malformed number: the ticket wins", with(anOutbound, func(r *outbound) { r.TicketID, r.EndUserNumber = "71450", "123123" }), nil},
		{"outbound from a malformed number", with(anOutbound, func(r *outbound) { r.OutboundNumber = "123123" }), []problem{outboundMalformed}},
		{"outbound to a ticket from a malformed number", outbound{AgentEmail: "agent@example.com", TicketID: "71450", OutboundNumber: "123123"}, []problem{outboundMalformed}},
		{"outbound with a ticket that is not UTF-8", outbound{AgentEmail: "agent@example.com", TicketID: "7\xff"}, []problem{ticketMalformed}},
		{"outbound with every problem", outbound{AgentEmail: "agent", EndUserNumber: "123123", OutboundNumber: "+1 999-657-12", Lang: "fr-ca"},
			[]problem{agentEmailInvalid, endUserMalformed, outboundMalformed, languageMalformed}},
		{"outbound without a field", outbound{}, []problem{agentEmailRequired, ticketOrNumber}},
		{"outbound by pointer", &outbound{}, []problem{agentEmailRequired, ticketOrNumber}},

		// Inbound.
		{"inbound to a number", anInbound, nil},
		{"inbound with everything", inbound{MenuID: 9, EndUserNumber: goodNumber, TicketID: "76517", OutboundNumber: "+1 339-219-5276", Lang: "en", RecordingPermission: calls.RecordingPermissionGranted}, nil},
		{"inbound without a menu", with(anInbound, func(r *inbound) { r.MenuID = 0 }), []problem{menuRequired}},
		{"inbound with a negative menu", with(anInbound, func(r *inbound) { r.MenuID = -9 }), []problem{menuMalformed}},
		{"inbound with the largest menu", with(anInbound, func(r *inbound) { r.MenuID = 1<<63 - 1 }), nil},
		{"inbound without a number", with(anInbound, func(r *inbound) { r.EndUserNumber = "" }), []problem{endUserRequired}},
		{"inbound with a ticket and no number: the number is still required", with(anInbound, func(r *inbound) { r.TicketID, r.EndUserNumber = "76517", "" }), []problem{endUserRequired}},
		{"inbound with a malformed number", with(anInbound, func(r *inbound) { r.EndUserNumber = "+1 999-657-12" }), []problem{endUserMalformed}},
		{"inbound with a ticket and a malformed number: the ticket wins", with(anInbound, func(r *inbound) { r.TicketID, r.EndUserNumber = "76517", "+1 999-657-12" }), nil},
		{"inbound from a malformed number: the platform uses its default", with(anInbound, func(r *inbound) { r.OutboundNumber = "123123" }), nil},
		{"inbound with a ticket that is not UTF-8", with(anInbound, func(r *inbound) { r.TicketID = "\xc3" }), []problem{ticketMalformed}},
		{"inbound with every problem", inbound{MenuID: -1, EndUserNumber: "123123", OutboundNumber: "123123", Lang: "french", RecordingPermission: "yes"},
			[]problem{menuMalformed, endUserMalformed, languageMalformed, permissionInvalid}},
		{"inbound without a field", inbound{}, []problem{menuRequired, endUserRequired}},
		{"inbound by pointer", &inbound{}, []problem{menuRequired, endUserRequired}},

		// Scheduled.
		{"scheduled to a menu", aScheduled, nil},
		{"scheduled after an earlier call, without a menu", with(aScheduled, func(r *scheduled) { r.MenuID, r.ParentCallID = 0, 514 }), nil},
		{"scheduled with both", with(aScheduled, func(r *scheduled) { r.ParentCallID = 514 }), nil},
		{"scheduled with neither", with(aScheduled, func(r *scheduled) { r.MenuID = 0 }), []problem{menuRequired}},
		{"scheduled with a negative menu, after an earlier call", with(aScheduled, func(r *scheduled) { r.MenuID, r.ParentCallID = -9, 514 }), []problem{menuMalformed}},
		{"scheduled after a negative call", with(aScheduled, func(r *scheduled) { r.MenuID, r.ParentCallID = 0, -514 }), []problem{parentInvalid}},
		{"scheduled without a number", with(aScheduled, func(r *scheduled) { r.EndUserNumber = "" }), []problem{endUserRequired}},
		{"scheduled with a malformed number", with(aScheduled, func(r *scheduled) { r.EndUserNumber = "123123" }), []problem{endUserMalformed}},
		{"scheduled with a ticket and a malformed number: the ticket wins", with(aScheduled, func(r *scheduled) { r.TicketID, r.EndUserNumber = "76517", "123123" }), nil},
		{"scheduled with a ticket that is not UTF-8", with(aScheduled, func(r *scheduled) { r.TicketID = "\xff\xfe" }), []problem{ticketMalformed}},
		{"scheduled for no time", with(aScheduled, func(r *scheduled) { r.ScheduledAt = time.Time{} }), []problem{scheduledAtRequired}},
		{"scheduled with every problem", scheduled{MenuID: -9, ParentCallID: -1, EndUserNumber: "123123", Lang: "EN", ScheduledAt: documentedNow.Add(-time.Hour), RecordingPermission: "no"},
			[]problem{parentInvalid, menuMalformed, endUserMalformed, scheduledAtPast, languageMalformed, permissionInvalid}},
		{"scheduled without a field", scheduled{}, []problem{menuRequired, endUserRequired, scheduledAtRequired}},
		{"scheduled by pointer", &scheduled{}, []problem{menuRequired, endUserRequired, scheduledAtRequired}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkValidation(t, test.request, test.want)
		})
	}
}

func TestValidationOfTicketIDs(t *testing.T) {
	t.Parallel()
	tests := map[string][]problem{
		"71450":                      nil,
		"CASE-71 450":                nil,
		"\u4e8b\u4ef6 7":             nil,
		strings.Repeat("7", 255):     nil,
		strings.Repeat("7", 256):     {ticketMalformed},
		strings.Repeat("\u4e8b", 86): {ticketMalformed}, // 258 bytes
		"71450\n":                    {ticketMalformed},
		"7\x001450":                  {ticketMalformed},
		"7\xff":                      {ticketMalformed},
	}
	for id, want := range tests {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			checkValidation(t, outbound{AgentEmail: "agent@example.com", TicketID: id}, want)
			checkValidation(t, with(anInbound, func(r *inbound) { r.TicketID = id }), want)
			checkValidation(t, with(aScheduled, func(r *scheduled) { r.TicketID = id }), want)
		})
	}
}

// TestBlankTicketIDIsNoTicket checks that an outbound request with a blank ticket id has
// its number validated and dialed.
func TestBlankTicketIDIsNoTicket(t *testing.T) {
	t.Parallel()
	for _, id := range []string{" ", "\t\n", "\u00a0", "\u200b"} {
		checkValidation(t, outbound{AgentEmail: "agent@example.com", TicketID: id}, []problem{ticketOrNumber})
		checkValidation(t, with(anOutbound, func(r *outbound) { r.TicketID, r.EndUserNumber = id, "123123" }), []problem{endUserMalformed})
		sent := checkValidation(t, with(anOutbound, func(r *outbound) { r.TicketID = id }), nil)
		if ticket, isSent := sent["ticket_id"]; isSent {
			t.Errorf("the ticket id %q is sent", ticket)
		}
		checkValidation(t, with(anInbound, func(r *inbound) { r.TicketID = id }), []problem{ticketMalformed})
		checkValidation(t, with(aScheduled, func(r *scheduled) { r.TicketID = id }), []problem{ticketMalformed})
	}
}

func TestValidationOfLanguages(t *testing.T) {
	t.Parallel()
	tests := map[string][]problem{
		"en": nil, "fr": nil, "xy": nil, "fr-CA": nil, "es-419": nil, "": nil,
		"fr-ca": {languageMalformed}, "FR": {languageMalformed}, "Fr-CA": {languageMalformed},
		"fil": nil, "zh-Hant": nil, "zh-Hant-TW": nil, "sr-Latn-RS": nil, "es-Latn-419": nil, "yue-HK": nil,
		"zh-hant": {languageMalformed}, "zh-HANT": {languageMalformed}, "zh-Hant-": {languageMalformed}, "zh-Hant-tw": {languageMalformed},
		"zh-TW-Hant": {languageMalformed}, "zh-Hant-Hant": {languageMalformed}, "zh-Lat": {languageMalformed}, "zh--TW": {languageMalformed},
		"zh-Hant-TW-x": {languageMalformed}, "-": {languageMalformed}, "fr-CA-CA": {languageMalformed},
		"f": {languageMalformed}, "frenc": {languageMalformed}, "french": {languageMalformed},
		"fr_CA": {languageMalformed}, "fr-": {languageMalformed}, "-CA": {languageMalformed},
		"fr-C": {languageMalformed}, "fr-CAN": {languageMalformed}, "fr-41": {languageMalformed},
		"fr-CA-x": {languageMalformed}, " fr": {languageMalformed}, "fr ": {languageMalformed},
		"fr-C1": {languageMalformed}, "ＦＲ": {languageMalformed}, "f\xff": {languageMalformed}, "é": {languageMalformed},
	}
	for lang, want := range tests {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			checkValidation(t, with(anOutbound, func(r *outbound) { r.Lang = lang }), want)
			checkValidation(t, with(anInbound, func(r *inbound) { r.Lang = lang }), want)
			checkValidation(t, with(aScheduled, func(r *scheduled) { r.Lang = lang }), want)
		})
	}
}

func TestValidationOfRecordingPermissions(t *testing.T) {
	t.Parallel()
	tests := map[calls.RecordingPermission][]problem{
		"":                                nil,
		calls.RecordingPermissionNotAsked: nil,
		calls.RecordingPermissionDenied:   nil,
		calls.RecordingPermissionGranted:  nil,
		calls.RecordingPermissionReportedNotAsked: {permissionInvalid}, // a value of call objects only
		"granted":                       {permissionInvalid},
		"Recording_Permission_Granted":  {permissionInvalid},
		"recording_permission_granted ": {permissionInvalid},
	}
	for permission, want := range tests {
		t.Run(string(permission), func(t *testing.T) {
			t.Parallel()
			checkValidation(t, with(anInbound, func(r *inbound) { r.RecordingPermission = permission }), want)
			checkValidation(t, with(aScheduled, func(r *scheduled) { r.RecordingPermission = permission }), want)
		})
	}
}

// TestValidationOfNumbers checks that a number is sent with the digits that were
// validated. It is not checked whether the number is in service.
func TestValidationOfNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, number, region string
		want                 []problem
		sent                 string // "" for number
	}{
		{name: "a possible number without a valid exchange", number: "+1 205-123-4567"},
		{name: "a number of another country", number: "+82-10-6861-2345"},
		{name: "E.164", number: "+18596579625"},
		{name: "brackets and dots", number: "+1 (859) 657.9625"},
		{name: "an international number", number: "+800 1234 5678"},
		{name: "too short", number: "+1 999-657-12", want: []problem{endUserMalformed}},
		{name: "much too short", number: "123123", want: []problem{endUserMalformed}},
		{name: "too long", number: "+1 859-657-9625-1234", want: []problem{endUserMalformed}},
		{name: "no such country code", number: "+999 1234567", want: []problem{endUserMalformed}},
		{name: "no country code and no region", number: "859-657-9625", want: []problem{endUserMalformed}},
		{name: "letters", number: "+1 859-FLOWERS", want: []problem{endUserMalformed}},
		{name: "an extension", number: "+1 859-657-9625 ext. 12", want: []problem{endUserMalformed}},
		{name: "an extension by a pause", number: "+1 859-657-9625,12", want: []problem{endUserMalformed}},
		{name: "a URI", number: "tel:+1-859-657-9625", sent: "+18596579625"},
		{name: "a URI with an extension", number: "tel:+1-859-657-9625;ext=12", want: []problem{endUserMalformed}},
		{name: "a trunk prefix", number: "+44 (0)20 7946 0958", sent: "+442079460958"},
		{name: "a trunk prefix of another digit", number: "+7 8 495 123-45-67", sent: "+74951234567"},
		{name: "a country code in parentheses", number: "(+1) 859-657-9625", sent: "+18596579625"},
		{name: "wide digits", number: "＋１ ８５９-６５７-９６２５", sent: "+18596579625"},
		{name: "direction marks", number: "\u202d+33 6 12 34 56 78\u202c", sent: "+33 6 12 34 56 78"},
		{name: "two plus signs", number: "++44 20 7946 0958", want: []problem{endUserMalformed}},
		{name: "zeros behind the plus", number: "+0044 20 7946 0958", want: []problem{endUserMalformed}},
		{name: "an emergency number", number: "+49112", want: []problem{endUserMalformed}},
		{name: "without an area code", number: "+1 555-0123", want: []problem{endUserMalformed}},
		{name: "a quantity", number: "+18596579625.0", want: []problem{endUserMalformed}},
		{name: "thousands of zeros", number: "+1" + strings.Repeat("0", 15_000), want: []problem{endUserMalformed}},
		{name: "only a plus", number: "+", want: []problem{endUserMalformed}},
		{name: "only space", number: " ", want: []problem{endUserMalformed}},
		{name: "a line break", number: "+1 859-657\n-9625", want: []problem{endUserMalformed}},
		{name: "a short number", number: "911", region: "US", want: []problem{endUserMalformed}},
		{name: "with a region, a number with a country code is sent as written", number: "+82-10-6861-2345", region: "US"},
		{name: "with a region, a number without one is sent as E.164", number: "859-657-9625", region: "US", sent: "+18596579625"},
		{name: "with a region, a number in its national form", number: "010-6861-2345", region: "KR", sent: "+821068612345"},
		{name: "with a region, a number with its international prefix", number: "011 82 10 6861 2345", region: "US", sent: "+821068612345"},
		{name: "with a region, zeros that are not its prefix", number: "0061 412 345 678", region: "AU", want: []problem{endUserMalformed}},
		{name: "with a region, zeros behind the plus", number: "+0044 20 7946 0958", region: "GB", want: []problem{endUserMalformed}},
		{name: "with a region, with or without a code", number: "4915123456789", region: "DE", want: []problem{endUserMalformed}},
		{name: "with a region, wide digits", number: "０３ー１２３４ー５６７８", region: "JP", sent: "+81312345678"},
		{name: "with a region, one without its area code", number: "657-9625", region: "US", want: []problem{endUserMalformed}},
		{name: "with a region, one that is too short", number: "123123", region: "US", want: []problem{endUserMalformed}},
		{name: "with a region, letters", number: "859-FLOWERS", region: "US", want: []problem{endUserMalformed}},
		{name: "with a region, an extension", number: "859-657-9625 x12", region: "US", want: []problem{endUserMalformed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var opts []calls.Option
			if test.region != "" {
				opts = append(opts, calls.WithDefaultRegion(test.region))
			}
			if test.sent == "" {
				test.sent = test.number
			}
			for _, request := range []calls.CreateRequest{
				with(anOutbound, func(r *outbound) { r.EndUserNumber = test.number }),
				with(anInbound, func(r *inbound) { r.EndUserNumber = test.number }),
				with(aScheduled, func(r *scheduled) { r.EndUserNumber = test.number }),
			} {
				if sent := checkValidation(t, request, test.want, opts...); sent != nil && sent["end_user_number"] != test.sent {
					t.Errorf("sent %v, want %s", sent["end_user_number"], test.sent)
				}
			}
			request := with(anOutbound, func(r *outbound) { r.OutboundNumber = test.number })
			want := slices.Clone(test.want)
			if want != nil {
				want = []problem{outboundMalformed}
			}
			if sent := checkValidation(t, request, want, opts...); sent != nil && sent["outbound_number"] != test.sent {
				t.Errorf("sent %v, want %s", sent["outbound_number"], test.sent)
			}
		})
	}
}

// TestReasonsOfNumbers checks that the reason says what to change.
func TestReasonsOfNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ number, region, reason string }{
		{"859-657-9625", "", "has no country code"},
		{"++44 20 7946 0958", "", "has no country code"},
		{"+999 1234567", "", "has a country code that does not exist"},
		{"4915123456789", "DE", "may or may not begin with its country code: write + before a country code"},
		{"0061 412 345 678", "AU", "has an international prefix that is not certain: write + and the country code instead"},
		{"+1 999-657-12", "", "is not a possible telephone number"},
		{"0999 1234567", "GB", "is not a valid telephone number of the default region"},
		{"+44 (0)99 9999 9999", "", "is not a valid telephone number of its country"},
		{"+49112", "", "is a local or short number, which cannot be dialed from elsewhere"},
		{"+1 859-FLOWERS", "", "has letters"},
		{"+1 859-657-9625 x12", "", "has an extension"},
		{"+1 859-657\x009625", "", "has characters that do not belong in a telephone number"},
		{"1711234567.0", "DE", "is written as a spreadsheet writes a quantity, with a decimal fraction or an exponent"},
		{"+1 859-657-9625/+1 339-219-5276", "", "may be more than one number"},
		{"+52 1 55 1234 5678", "", `has a prefix of Mexico that was dropped ("1", "01", "044" or "045"): leave it out`},
		{"+352 (0)26 12 34 56", "", `has the trunk prefix "0" after its country code, where it does not belong`},
		{"tel:+1-859-657-9625;isub=12", "", "has a parameter that cannot be dialed"},
	} {
		t.Run(test.number, func(t *testing.T) {
			t.Parallel()
			var opts []calls.Option
			if test.region != "" {
				opts = append(opts, calls.WithDefaultRegion(test.region))
			}
			err := newClient(t, untouched(t), opts...).Validate(with(anOutbound, func(r *outbound) { r.EndUserNumber = test.number }))
			var invalid *calls.ValidationError
			if !errors.As(err, &invalid) || invalid.Reason != test.reason || !errors.Is(err, calls.ErrEndUserNumberMalformed) {
				t.Errorf("%v, want the reason %q", err, test.reason)
			}
		})
	}
}

// TestNumbersThatAreNotValidated checks that such a number is sent as written, or as
// E.164 if it fits the default region.
func TestNumbersThatAreNotValidated(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request calls.CreateRequest
		field   string
		want    string
	}{
		"next to a ticket, outbound":  {with(anOutbound, func(r *outbound) { r.TicketID, r.EndUserNumber = "71450", "123123" }), "end_user_number", "123123"},
		"next to a ticket, inbound":   {with(anInbound, func(r *inbound) { r.TicketID, r.EndUserNumber = "71450", "call me" }), "end_user_number", "call me"},
		"next to a ticket, scheduled": {with(aScheduled, func(r *scheduled) { r.TicketID, r.EndUserNumber = "71450", "+1 999-657-12" }), "end_user_number", "+1 999-657-12"},
		"an inbound outbound number":  {with(anInbound, func(r *inbound) { r.OutboundNumber = "123123" }), "outbound_number", "123123"},
		"a number of the region":      {with(anInbound, func(r *inbound) { r.OutboundNumber = "339-219-5276" }), "outbound_number", "+13392195276"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := checkValidation(t, test.request, nil, calls.WithDefaultRegion("US"))
			if sent[test.field] != test.want {
				t.Errorf("sent %v, want %s", sent[test.field], test.want)
			}
		})
	}
}

// TestValidationOfScheduledAt checks that the time is validated as sent, in milliseconds.
func TestValidationOfScheduledAt(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CEST", 2*60*60)
	precise := documentedNow.Add(400 * time.Microsecond)
	tests := []struct {
		name    string
		now, at time.Time
		want    []problem
		sent    string
	}{
		{"an hour ahead", documentedNow, documentedNow.Add(time.Hour), nil, "2019-09-01T01:00:00.000Z"},
		{"the documented time", documentedNow, time.Date(2019, 9, 15, 0, 19, 14, 421e6, time.UTC), nil, "2019-09-15T00:19:14.421Z"},
		{"another zone is sent in UTC", documentedNow, time.Date(2019, 9, 15, 2, 19, 14, 421e6, berlin), nil, "2019-09-15T00:19:14.421Z"},
		{"a zone that moves the day", documentedNow, time.Date(2019, 9, 15, 1, 0, 0, 0, berlin), nil, "2019-09-14T23:00:00.000Z"},
		{"microseconds are dropped", documentedNow, time.Date(2019, 9, 15, 0, 19, 14, 421999999, time.UTC), nil, "2019-09-15T00:19:14.421Z"},
		{"a millisecond ahead", documentedNow, documentedNow.Add(time.Millisecond), nil, "2019-09-01T00:00:00.001Z"},
		{"a millisecond ahead of a clock in microseconds", precise, documentedNow.Add(time.Millisecond), nil, "2019-09-01T00:00:00.001Z"},
		{"the last time that can be written", documentedNow, time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC), nil, "9999-12-31T23:59:59.999Z"},
		{"exactly now", documentedNow, documentedNow, []problem{scheduledAtPast}, ""},
		{"exactly now in another zone", documentedNow, documentedNow.In(berlin), []problem{scheduledAtPast}, ""},
		{"less than a millisecond ahead", documentedNow, documentedNow.Add(999 * time.Microsecond), []problem{scheduledAtPast}, ""},
		{"ahead of a clock in microseconds, but not when sent", precise, documentedNow.Add(900 * time.Microsecond), []problem{scheduledAtPast}, ""},
		{"a nanosecond ago", documentedNow, documentedNow.Add(-1), []problem{scheduledAtPast}, ""},
		{"1970", documentedNow, time.Unix(0, 0), []problem{scheduledAtPast}, ""},
		{"before the zero time", documentedNow, time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), []problem{scheduledAtPast}, ""},
		{"no time", documentedNow, time.Time{}, []problem{scheduledAtRequired}, ""},
		{"no time in another zone", documentedNow, time.Time{}.In(berlin), []problem{scheduledAtRequired}, ""},
		{"a year of five digits", documentedNow, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), []problem{scheduledAtTooFar}, ""},
		{"a year of five digits in UTC only", documentedNow, time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*60*60)), []problem{scheduledAtTooFar}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := with(aScheduled, func(r *scheduled) { r.ScheduledAt = test.at })
			sent := checkValidation(t, request, test.want, calls.WithClock(func() time.Time { return test.now }))
			if sent != nil && sent["scheduled_at"] != test.sent {
				t.Errorf("sent %v, want %s", sent["scheduled_at"], test.sent)
			}
		})
	}
}

// checkValidation checks that Validate and the create method return the same problems,
// and that a valid request is sent once. It returns the body, nil for a request that is
// not valid.
func checkValidation(t *testing.T, request calls.CreateRequest, want []problem, opts ...calls.Option) (sent map[string]any) {
	t.Helper()
	checkProblems(t, newClient(t, untouched(t), opts...).Validate(request), want)
	switch r := request.(type) { // the create methods take values
	case *outbound:
		request = *r
	case *inbound:
		request = *r
	case *scheduled:
		request = *r
	}
	transport := untouched(t)
	if want == nil {
		transport = func(r *http.Request) (*http.Response, error) {
			if sent != nil {
				t.Error("sent twice")
			}
			mustUnmarshal(t, []byte(textOf(r.Body)), &sent)
			return newResponse(http.StatusAccepted, ""), nil
		}
	}
	_, err := newClient(t, transport, opts...).Create(t.Context(), request)
	checkProblems(t, err, want)
	if err != nil {
		checkValuesAreNotShown(t, request, err)
	} else if sent == nil {
		t.Error("not sent")
	}
	return sent
}

func checkProblems(t *testing.T, err error, want []problem) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("error %v, want none", err)
		}
		return
	}
	list, ok := err.(calls.ValidationErrors)
	if !ok {
		t.Fatalf("%v is a %T, want ValidationErrors", err, err)
	}
	var got []string
	for _, invalid := range list {
		if invalid.Reason == "" || !strings.Contains(err.Error(), invalid.Field+" "+invalid.Reason) {
			t.Errorf("%s %q is not in the text %q", invalid.Field, invalid.Reason, err)
		}
		got = append(got, invalid.Field)
	}
	var fields []string
	for i, p := range want {
		fields = append(fields, p.field)
		if !errors.Is(err, p.is) || i < len(list) && !errors.Is(list[i], p.is) {
			t.Errorf("the problem with %s is not %v", p.field, p.is)
		}
	}
	if diff := cmp.Diff(fields, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if !errors.Is(err, calls.ErrInvalidRequest) || calls.DeliveryOf(err) != calls.DeliveryNotSent {
		t.Errorf("%v is not ErrInvalidRequest or not DeliveryNotSent", err)
	}
}

func checkValuesAreNotShown(t *testing.T, request calls.CreateRequest, err error) {
	t.Helper()
	data, unencodable := json.Marshal(request)
	if unencodable != nil { // a year that has no JSON form
		return
	}
	var values map[string]any
	mustUnmarshal(t, data, &values)
	for field, value := range values {
		// Short values ("agent", "fr-C") also occur in the text of the reason.
		if text, ok := value.(string); ok && len(text) > 5 && strings.Contains(err.Error(), text) {
			t.Errorf("the value of %s is in %q", field, err)
		}
	}
}
