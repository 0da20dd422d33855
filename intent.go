package calls

import "time"

// intent is what of a create a listing of calls can show. The error of a create
// carries it for Settle. It has no address and no number of an end user in it.
type intent struct {
	callType       CallType
	started        time.Time
	ticketID       string
	menuID         int64
	parentID       int64
	scheduledAt    time.Time
	outboundNumber string
}

func (r OutboundRequest) intent(started time.Time) intent {
	return intent{callType: CallTypeOutbound, started: started, ticketID: r.TicketID, outboundNumber: r.OutboundNumber}
}

func (r InboundRequest) intent(started time.Time) intent {
	return intent{callType: CallTypeInbound, started: started, ticketID: r.TicketID, menuID: r.MenuID, outboundNumber: r.OutboundNumber}
}

func (r ScheduledRequest) intent(started time.Time) intent {
	return intent{
		callType: CallTypeScheduled, started: started, ticketID: r.TicketID, menuID: r.MenuID,
		parentID: r.ParentCallID, scheduledAt: r.ScheduledAt,
	}
}
