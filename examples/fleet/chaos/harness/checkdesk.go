//go:build linux

package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// checkDesk compares what the pages of the connector show in the end, and what its
// ledger says, with what its platform did.
func (r *run) checkDesk(ctx context.Context) error {
	p := &r.figures.Connector
	made := r.checkCalls(p, r.desk.double)
	for _, t := range r.desk.tickets {
		r.checkTicket(t, made[t.Agent])
	}
	agents, err := r.checkAttempts(ctx, made)
	if err != nil {
		return err
	}
	byAgent, err := r.desk.marks(ctx, agents)
	if err != nil {
		return err
	}
	r.checkPermits(p, r.desk.double, byAgent)
	return nil
}

// checkTicket compares what a clerk has read with the calls of the ticket.
func (r *run) checkTicket(t ticket, made []callstest.Call) {
	p, isTrue, isOwn := &r.figures.Connector, false, true
	switch t.finding.heading {
	case "The call is created":
		isTrue = len(made) > 0
		isOwn = slices.ContainsFunc(made, func(call callstest.Call) bool { return call.ID == t.finding.callID })
	case "Waiting for the agent":
		isTrue = slices.ContainsFunc(made, func(call callstest.Call) bool { return call.AwaitsAgent })
	case "Checked: the call was made":
		isTrue = len(made) > 0
	case "Nobody was called", "Checked: no call was made":
		isTrue = t.isBusy && len(made) == 0
	}
	switch {
	case !t.isCalled || !isTrue:
		p.Lost++
	case !isOwn:
		p.Wrong++
	default:
		return
	}
	r.find(t.Agent, fmt.Sprintf("its page says %q, call %d; its calls are %+v", t.finding.heading, t.finding.callID, made))
}

// checkAttempts looks at every attempt in the ledger: a ticket can have several, of
// which the platform has made one. It returns the agents of the attempts.
func (r *run) checkAttempts(ctx context.Context, made map[string][]callstest.Call) (agents map[string]string, err error) {
	r.figures.Connector.States, agents = map[ledger.State]int{}, map[string]string{}
	ids, err := r.desk.attempts(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range r.desk.tickets {
		recorded := 0
		for _, id := range ids[t.ID] {
			agents[id] = t.Agent
			e, err := r.desk.database.Ledger.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			if r.checkAttempt(t, e, made[t.Agent]) {
				recorded++
			}
		}
		if recorded != len(made[t.Agent]) {
			r.figures.Connector.Lost++
			r.find(t.Agent, fmt.Sprintf("has %d calls, of which the ledger knows %d", len(made[t.Agent]), recorded))
		}
	}
	return agents, nil
}

// checkAttempt reports whether an attempt made a call, according to the ledger.
func (r *run) checkAttempt(t ticket, e ledger.Entry, made []callstest.Call) (isMade bool) {
	p := &r.figures.Connector
	p.States[e.State]++
	isMade = e.State == ledger.StateCreated || e.State == ledger.StateAwaitsAgent
	isOwn := slices.ContainsFunc(made, func(call callstest.Call) bool { return call.ID == e.CallID })
	switch {
	case !e.State.IsClosed():
		p.Lost++
		r.find(t.Agent, fmt.Sprintf("ends as %v", e))
	case isMade && e.CallID != 0 && !isOwn:
		p.Wrong++
		r.find(t.Agent, fmt.Sprintf("%v, and its calls are %+v", e, made))
	}
	return isMade
}

// attempts returns the ids of the entries by tickets.
func (d *desk) attempts(ctx context.Context) (map[string][]string, error) {
	ids := map[string][]string{}
	rows, err := d.database.QueryContext(ctx, `SELECT ticket_id, id FROM connector_attempts`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var ticketID, id string
		if err := rows.Scan(&ticketID, &id); err != nil {
			return nil, err
		}
		ids[ticketID] = append(ids[ticketID], id)
	}
	return ids, rows.Err()
}

// marks returns the marks of all attempts by the agents of the entries.
func (d *desk) marks(ctx context.Context, agents map[string]string) (marks, error) {
	byAgent := marks{}
	rows, err := d.database.QueryContext(ctx, `SELECT intent FROM harness_marks`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var i calls.Intent
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &i); err != nil {
			return nil, err
		}
		byAgent[agents[i.ID]] = append(byAgent[agents[i.ID]], i)
	}
	return byAgent, rows.Err()
}
