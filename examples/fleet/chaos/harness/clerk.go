//go:build linux

package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

const (
	glance = 200 * time.Millisecond // between two looks at a page
	// thought is how long a person takes to find out in the portal what became of a
	// call.
	thought = 2 * time.Second
)

// clerk is a person who has calls made with the pages of the connector, and believes
// them: a clerk never presses Call where the page says that a call is under way or was
// made.
type clerk struct {
	run    *run
	random *rand.Rand
}

func newClerk(r *run) *clerk {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &clerk{run: r, random: rand.New(rand.NewPCG(r.random.Uint64(), 0))}
}

// callFor has a ticket called, and returns when its page says in the end that there is
// a call, or that there cannot be one.
func (c *clerk) callFor(ctx context.Context, t *ticket) error {
	ctx, cancel := context.WithTimeoutCause(ctx, standstill, fmt.Errorf("ticket %s is not settled after %v", t.ID, standstill))
	defer cancel()
	for {
		p, err := c.look(ctx, "/")
		if err != nil {
			return err
		}
		w, ok := rowOf(p, t.ID)
		switch {
		case !ok:
			return fmt.Errorf("the list of tickets has no ticket %s:\n%s", t.ID, p.body)
		case w.latest != "" && (w.tone != "bad" || t.isBusy):
			isOver, err := c.follow(ctx, t, w.latest)
			if err != nil || isOver {
				return err
			}
		case !w.canAsk || w.button != "Call":
			return fmt.Errorf("ticket %s was not called, and its button is %q, %v", t.ID, w.button, w.canAsk)
		default:
			c.submit(ctx, "/tickets/"+t.ID+"/call", url.Values{"nonce": {w.nonce}})
		}
	}
}

// follow looks at the page of a call until it is certain what became of it. It reports
// whether that is the end of the ticket.
func (c *clerk) follow(ctx context.Context, t *ticket, path string) (isOver bool, err error) {
	for {
		p, err := c.look(ctx, path)
		if err != nil {
			return false, err
		}
		found, ok := readingOf(p)
		switch {
		case !ok:
			c.run.forgot(t, path)
			return false, nil
		case found.needsWord:
			c.decide(ctx, t, path, found)
		case !found.isOpen:
			isNotMade := found.heading == "Nobody was called" || found.heading == "Checked: no call was made"
			if isNotMade && !t.isBusy {
				return false, nil // it can be called again
			}
			t.finding, t.isCalled = found, true
			return true, nil
		}
		if err := c.run.pause(ctx, glance); err != nil {
			return false, err
		}
	}
}

// decide finds out in the portal what became of a call, and submits that.
func (c *clerk) decide(ctx context.Context, t *ticket, path string, found reading) {
	if c.run.pause(ctx, thought) != nil {
		return
	}
	word, isMade := "not made", false
	if made := c.portal(t.Agent); len(made) > 0 {
		word, isMade = "made", true
		if id := made[len(made)-1].ID; found.offers(id) {
			word = fmt.Sprint(id)
		}
	}
	c.run.decided(path, found.heading, isMade)
	c.submit(ctx, path+"/decision", url.Values{"nonce": {found.nonce}, "finding": {word}})
}

// portal shows the calls of an agent.
func (c *clerk) portal(agent string) (made []callstest.Call) {
	for _, call := range c.run.desk.double.Calls() {
		if call.AgentEmail == agent {
			made = append(made, call)
		}
	}
	return made
}

// look gets a page from one of the instances, again and again where none of them can
// show it.
func (c *clerk) look(ctx context.Context, path string) (page, error) {
	for {
		if _, address := c.choose(); address != "" {
			if p, err := browse(ctx, address, path, nil); err == nil {
				return p, nil
			}
		}
		if err := c.run.pause(ctx, glance); err != nil {
			return page{}, err
		}
	}
}

// submit submits a form once. Whatever comes of it, the clerk looks at the page again.
func (c *clerk) submit(ctx context.Context, path string, form url.Values) {
	i, address := c.choose()
	if address == "" {
		return
	}
	time.AfterFunc(time.Duration(c.random.Int64N(int64(maxPressed))), func() { c.run.reach(i, onSubmit) })
	_, _ = browse(ctx, address, path, form)
}

func (c *clerk) choose() (*instance, string) {
	i := c.run.instanceAt(c.random.IntN(instances))
	return i, c.run.addressOf(i)
}

// forgot counts a call that the connector knew and does not know any more.
func (r *run) forgot(t *ticket, path string) {
	r.find(t.Agent, "the connector has forgotten "+path)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures.Connector.Lost++
}

// decided counts what a person had to find out, once for each call: a form that was not
// taken is submitted again.
func (r *run) decided(path, why string, isMade bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.desk.decided[path] {
		return
	}
	r.desk.decided[path] = true
	r.figures.Connector.Reasons[why]++
	if isMade {
		r.figures.Connector.WasMade++
	}
}
