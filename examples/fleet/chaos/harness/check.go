//go:build linux

package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// check compares what the ledgers and the pages say with what the platforms did.
func (r *run) check(ctx context.Context) error {
	r.ids = map[string]string{}
	for _, c := range r.creates {
		r.ids[c.agent.Email] = c.id
	}
	if r.desk != nil {
		if err := r.checkDesk(ctx); err != nil {
			return err
		}
	}
	p := &r.figures.Fleet
	made := r.checkCalls(p, r.double)
	if r.WithoutLedger {
		return nil
	}
	p.States, p.Reasons = map[ledger.State]int{}, map[string]int{}
	for _, c := range r.creates {
		if err := r.checkCreate(ctx, c, made[c.agent.Email]); err != nil {
			return err
		}
	}
	byAgent := marks{}
	for _, c := range r.creates {
		byAgent[c.agent.Email] = r.marks[c.id]
	}
	r.checkPermits(p, r.double, byAgent)
	return r.checkCount(ctx)
}

// checkCalls returns the calls of each agent, and finds those that were called twice.
func (r *run) checkCalls(p *Part, double *callstest.Server) (made map[string][]callstest.Call) {
	made = callsOf(double)
	for agent, all := range made {
		p.Calls += len(all)
		if len(all) > 1 {
			p.RungTwice++
			r.find(agent, fmt.Sprintf("was called %d times: %+v", len(all), all))
		}
	}
	p.Requests = len(postsOf(double))
	return made
}

// callsOf returns the calls of each agent.
func callsOf(double *callstest.Server) map[string][]callstest.Call {
	made := map[string][]callstest.Call{}
	for _, call := range double.Calls() {
		made[call.AgentEmail] = append(made[call.AgentEmail], call)
	}
	return made
}

// checkCreate compares the entry of a create with its calls, and has a person decide
// where it is theirs to do.
func (r *run) checkCreate(ctx context.Context, c create, made []callstest.Call) error {
	e, err := r.database.Ledger.Get(ctx, c.id)
	if err != nil {
		return err
	}
	r.figures.Fleet.States[e.State]++
	if e.State == ledger.StateForPerson {
		if e, err = r.decide(ctx, c, e, made); err != nil {
			return err
		}
	}
	isMade, awaits, callID := len(made) > 0, false, int64(0)
	if isMade {
		awaits, callID = made[0].AwaitsAgent, made[0].ID
	}
	isRecorded := e.State == ledger.StateCreated || e.State == ledger.StateAwaitsAgent
	switch {
	case !e.State.IsClosed(), isRecorded != isMade:
		r.figures.Fleet.Lost++
		r.find(c.agent.Email, fmt.Sprintf("%v, and %d calls were made", e, len(made)))
	case e.State == ledger.StateCreated && e.CallID != callID, e.State == ledger.StateAwaitsAgent && !awaits:
		r.figures.Fleet.Wrong++
		r.find(c.agent.Email, fmt.Sprintf("%v, and its call is %d", e, callID))
	}
	return nil
}

// decide is a person who looks into the portal, where a call shows its agent. Where
// another entry has the call already, that is a wrong attribution, too.
func (r *run) decide(ctx context.Context, c create, e ledger.Entry, made []callstest.Call) (ledger.Entry, error) {
	r.figures.Fleet.Reasons[c.kind+": "+withoutIDs(e.How)]++
	callID := int64(0)
	if len(made) > 0 {
		r.figures.Fleet.WasMade++
		callID = made[0].ID
	}
	decided, err := r.queue.Keeper.Decide(ctx, e.ID, e.Version, len(made) > 0, callID)
	if errors.Is(err, ledger.ErrClaimed) {
		r.figures.Fleet.Wrong++
		r.find(c.agent.Email, fmt.Sprintf("%v, and another entry has its call %d", e, callID))
		return decided, nil
	}
	return decided, err
}

// withoutIDs makes the reasons of different entries the same.
func withoutIDs(how string) string {
	return regexp.MustCompile(`"[^"]*"|\d[\d ]*`).ReplaceAllString(how, "… ")
}

// checkCount looks for entries that no create has.
func (r *run) checkCount(ctx context.Context) error {
	report, err := r.queue.Report(ctx)
	n := 0
	for _, count := range report.Counts {
		n += count
	}
	if err == nil && n != len(r.creates) {
		return fmt.Errorf("%d creates have %d entries", len(r.creates), n)
	}
	return err
}

// find adds what is wrong with a create, and all that the workers did about it.
func (r *run) find(agent, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := agent + ": " + what
	for _, about := range []string{r.ids[agent], agent} {
		for _, step := range r.trail[about] {
			found += "\n    " + step
		}
	}
	r.figures.Found = append(r.figures.Found, found)
}

// post is a create that arrived.
type post struct {
	agent string
	at    time.Time
}

func postsOf(double *callstest.Server) (posts []post) {
	for _, request := range double.Requests() {
		var body struct {
			Agent string `json:"agent_email"`
		}
		if request.Method == http.MethodPost && json.Unmarshal(request.Body, &body) == nil {
			posts = append(posts, post{body.Agent, request.At})
		}
	}
	return posts
}

// marks are the marks that were stored, or were to be, by the ids of entries or by
// agents.
type marks map[string][]calls.Intent

func (m marks) add(i calls.Intent) { m[i.ID] = append(m[i.ID], i) }

// use takes out the latest mark that was made before a time.
func (m marks) use(id string, at time.Time) (used calls.Intent, ok bool) {
	slices.SortFunc(m[id], func(a, b calls.Intent) int { return cmp.Compare(a.SentAfter.UnixNano(), b.SentAfter.UnixNano()) })
	for n, i := range slices.Backward(m[id]) {
		if !i.SentAfter.After(at) {
			m[id] = slices.Delete(m[id], n, n+1)
			return i, true
		}
	}
	return calls.Intent{}, false
}

// checkPermits finds for each create that arrived a mark of its own, in whose permit
// it did. The skew is for its way.
func (r *run) checkPermits(p *Part, double *callstest.Server, byAgent marks) {
	for _, post := range postsOf(double) {
		mark, ok := byAgent.use(post.agent, post.at.Add(time.Millisecond)) // the platform's times are in milliseconds
		after := post.at.Sub(mark.SentBefore)
		if !ok || after > skew {
			p.Late++
			r.find(post.agent, fmt.Sprintf("a request arrived at %v, its mark is %+v", post.at, mark))
			continue
		}
		p.Latest = max(p.Latest, after)
	}
}
