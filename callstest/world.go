package callstest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ccaip-go/calls"
)

// An Agent is an agent to whom outbound calls can be assigned.
type Agent struct {
	Email     string
	Available bool           // can take a call now
	Permitted bool           // has access to make calls
	Response  CreateResponse // to a create request that passes every check
}

// CreateResponse is the platform's response to a create request for an agent.
type CreateResponse int

const (
	// ResponseCreated is 201 with the call object. The call is created.
	ResponseCreated CreateResponse = iota
	// ResponseAccepted is 202 without a body. The agent must place the call.
	ResponseAccepted
	// ResponsePrompted is 200 with a body that echoes fields of the request. The agent
	// must place the call.
	ResponsePrompted
)

// A Menu is a queue menu.
type Menu struct {
	ID    int64
	Name  string
	Types []calls.MenuType // without types, no create request can use the menu
	State MenuState

	Overcapacity bool
	Wait         int64 // as queue status and wait times show it, in the platform's own unit
	Slots        int   // in each callback period; 0 means 1, and -1 means no callback periods
}

// A MenuState is whether a menu accepts calls.
type MenuState int

// The states of a menu.
const (
	Open MenuState = iota
	ManualRedirection
	AfterHours
)

// A Ticket is a ticket in the CRM. A ticket without a Number has no end user: an outbound
// call for it is refused like one for a ticket that does not exist.
type Ticket struct {
	ID        string
	Number    string // of the end user, with a country code
	ContactID string // of the end user, out_contact_id; empty means null
}

// The menu types, as requests spell them.
const (
	typeIVR    = "ivr_menu"
	typeMobile = "mobile_menu"
	typeWeb    = "web_menu"
)

// defaultOutboundNumber is the number from which the documented examples call.
const defaultOutboundNumber = "+1 339-219-5276"

type world struct {
	agents    []Agent
	menus     []Menu
	tickets   []Ticket
	languages map[string]bool // known languages; true if available
}

func defaultWorld() world {
	all := []calls.MenuType{typeIVR, typeMobile, typeWeb}
	return world{
		agents: []Agent{
			{Email: "agent@example.com", Available: true, Permitted: true},
			{Email: "busy@example.com", Permitted: true},
			{Email: "forbidden@example.com", Available: true},
			{Email: "chooser@example.com", Available: true, Permitted: true, Response: ResponseAccepted},
			{Email: "prompted@example.com", Available: true, Permitted: true, Response: ResponsePrompted},
		},
		menus: []Menu{
			{ID: 9, Name: "Lock Star", Types: all},
			{ID: 10, Name: "Web", Types: []calls.MenuType{typeWeb}},
			{ID: 11, Name: "IVR", Types: []calls.MenuType{typeIVR}},
			{ID: 12, Name: "Redirected", Types: all, State: ManualRedirection},
			{ID: 13, Name: "Closed", Types: all, State: AfterHours},
			{ID: 50, Name: "Nowhere"},
		},
		tickets: []Ticket{
			{ID: "71450", Number: "+1 859-657-9625", ContactID: "381630957514"},
			{ID: "76517", Number: "+1 859-657-9625", ContactID: "389391400633"},
			{ID: "1"},
		},
		languages: map[string]bool{"en": true, "fr-CA": true, "es": true, "ko": true, "fr": false},
	}
}

func (w *world) addAgent(a Agent) error {
	if !strings.Contains(a.Email, "@") {
		return fmt.Errorf("agent %q: not an e-mail address", a.Email)
	}
	if a.Response < ResponseCreated || a.Response > ResponsePrompted {
		return fmt.Errorf("agent %q: unknown response %d", a.Email, a.Response)
	}
	w.agents = upsert(w.agents, a, func(b Agent) bool { return b.Email == a.Email })
	return nil
}

func (w *world) addMenu(m Menu) error {
	if m.ID <= 0 {
		return fmt.Errorf("menu %d: the id is not positive", m.ID)
	}
	if m.State < Open || m.State > AfterHours {
		return fmt.Errorf("menu %d: unknown state %d", m.ID, m.State)
	}
	for _, t := range m.Types {
		if t != typeIVR && t != typeMobile && t != typeWeb {
			return fmt.Errorf("menu %d: unknown type %q", m.ID, t)
		}
	}
	m.Types = slices.Clone(m.Types)
	w.menus = upsert(w.menus, m, func(n Menu) bool { return n.ID == m.ID })
	return nil
}

func (w *world) addTicket(t Ticket) error {
	if t.ID == "" {
		return fmt.Errorf("ticket without an id")
	}
	if t.Number != "" && !dialable(t.Number) {
		return fmt.Errorf("ticket %q: the platform cannot dial its number", t.ID)
	}
	w.tickets = upsert(w.tickets, t, func(u Ticket) bool { return u.ID == t.ID })
	return nil
}

func (w *world) addLanguage(lang string, available bool) error {
	if lang == "" {
		return fmt.Errorf("language without a code")
	}
	w.languages[lang] = available
	return nil
}

// upsert replaces the element that is the same as item, or appends item. It keeps the order,
// since an agent's id is its position.
func upsert[T any](list []T, item T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = item
		return list
	}
	return append(list, item)
}

// agent returns an agent and its id, which counts from 1, or the id 0 if there is none.
func (w *world) agent(email string) (Agent, int64) {
	i := slices.IndexFunc(w.agents, func(a Agent) bool { return a.Email == email })
	if i < 0 {
		return Agent{}, 0
	}
	return w.agents[i], int64(i) + 1
}

func (w *world) menu(id int64) (Menu, bool) {
	return find(w.menus, func(m Menu) bool { return m.ID == id })
}

func (w *world) ticket(id string) (Ticket, bool) {
	return find(w.tickets, func(t Ticket) bool { return t.ID == id })
}

func find[T any](list []T, wanted func(T) bool) (found T, ok bool) {
	if i := slices.IndexFunc(list, wanted); i >= 0 {
		return list[i], true
	}
	return found, false
}

// countryCodes has the assigned country codes (ITU-T E.164, list of country codes).
const countryCodes = " 1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66" +
	" 81 82 84 86 90 91 92 93 94 95 98" +
	" 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239" +
	" 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269" +
	" 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 379 380 381 382 383 385 386 387 389" +
	" 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599" +
	" 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692" +
	" 800 808 850 852 853 855 856 870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979" +
	" 992 993 994 995 996 998 "

// dialable reports whether the platform can dial number: a plus sign, a country code, and a
// national number of a plausible length. The rule is the double's own and simpler than
// that of package calls, so that a mistake there shows.
func dialable(number string) bool {
	const mostDigits, fewestNational, northAmerican = 15, 4, 10
	rest, hasPlus := strings.CutPrefix(number, "+")
	if !hasPlus || strings.Trim(rest, "0123456789 -.()/") != "" {
		return false
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, rest)
	for length := 1; length <= 3 && length < len(digits); length++ {
		code, national := digits[:length], digits[length:]
		switch {
		case !strings.Contains(countryCodes, " "+code+" "):
			continue
		case code == "1":
			return len(national) == northAmerican
		}
		return len(national) >= fewestNational && len(digits) <= mostDigits
	}
	return false
}

// digitsOf returns the digits of number.
func digitsOf(number string) string {
	var digits []byte
	for i := range len(number) {
		if c := number[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	return string(digits)
}
