//go:build linux

package harness

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// page is a page of the connector, as a browser has it.
type page struct {
	path string // without its query
	body string
}

// browse sends a request to an instance and follows where it leads. A form is posted
// as a browser does it.
func browse(ctx context.Context, address, path string, form url.Values) (page, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, address+path, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	response, err := browser.Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusInternalServerError {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return page{response.Request.URL.Path, string(body)}, err
}

// browser waits for an instance that is stopped, and gives up one that is gone.
var browser = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// row is what the list of tickets shows of a ticket.
type row struct {
	latest string // the path of its latest call, "" if there is none
	tone   string // good: there is a call; bad: there is none; open: it is not known
	button string
	nonce  string
	canAsk bool // the button can be pressed
}

var (
	latestLink = regexp.MustCompile(`<a class="state (\w+)" href="([^"]+)" data-focus="latest">`)
	nonceField = regexp.MustCompile(`name="nonce" value="([^"]+)"`)
	callButton = regexp.MustCompile(`<button data-focus="call"([^>]*)>([^<]+)</button>`)
	heading    = regexp.MustCompile(`<h2>([^<]+)</h2>`)
	callRow    = regexp.MustCompile(`<dt>Call</dt><dd>(\d+)</dd>`)
)

// rowOf reports false if the page is not the list of tickets.
func rowOf(p page, ticketID string) (w row, ok bool) {
	_, text, _ := strings.Cut(p.body, `data-part="ticket `+ticketID+`"`)
	text, _, _ = strings.Cut(text, "</tr>")
	button, nonce := callButton.FindStringSubmatch(text), nonceField.FindStringSubmatch(text)
	if button == nil || nonce == nil {
		return row{}, false
	}
	w = row{nonce: nonce[1], button: button[2], canAsk: !strings.Contains(button[1], " disabled")}
	if latest := latestLink.FindStringSubmatch(text); latest != nil {
		w.tone, w.latest = latest[1], latest[2]
	}
	return w, true
}

// reading is what the page of a call says.
type reading struct {
	heading    string
	callID     int64 // 0 if it shows none
	needsWord  bool  // a person has to say what became of it
	isOpen     bool  // it changes by itself
	nonce      string
	candidates string // the form
}

func readingOf(p page) (r reading, ok bool) {
	_, outcome, _ := strings.Cut(p.body, `data-part="outcome"`)
	outcome, decision, _ := strings.Cut(outcome, `data-part="decision"`)
	decision, _, _ = strings.Cut(decision, "</form>")
	title := heading.FindStringSubmatch(outcome)
	if title == nil {
		return reading{}, false
	}
	r = reading{heading: html.UnescapeString(title[1]), candidates: decision}
	if id := callRow.FindStringSubmatch(outcome); id != nil {
		r.callID, _ = strconv.ParseInt(id[1], 10, 64)
	}
	if nonce := nonceField.FindStringSubmatch(decision); nonce != nil {
		r.needsWord, r.nonce = true, nonce[1]
	}
	r.isOpen = r.heading == "Calling…" || r.heading == "We do not know yet"
	return r, true
}

// offers reports whether a person can choose a call.
func (r reading) offers(callID int64) bool {
	return strings.Contains(r.candidates, fmt.Sprintf(`value="%d"`, callID))
}
