package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestOtherSitesCannotSpendRequests(t *testing.T) {
	tests := map[string]struct {
		header map[string]string
		status int
	}{
		"an image of another site":          {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, http.StatusForbidden},
		"an image of a sibling":             {map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, http.StatusForbidden},
		"a script's request":                {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, http.StatusForbidden},
		"a frame":                           {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, http.StatusForbidden},
		"without a mode":                    {map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"a mode without a site":             {map[string]string{"Sec-Fetch-Mode": "no-cors"}, http.StatusForbidden},
		"a page that is fetched in advance": {map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Purpose": "prefetch;prerender"}, http.StatusForbidden},
		"a link on another site":            {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusOK},
		"a link of ours":                    {map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusOK},
		"the address bar":                   {map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusOK},
		"a browser that does not say":       {nil, http.StatusOK},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.call("71450")
			before := len(s.double.Requests())
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/calls/397/flags", nil)
			for key, value := range test.header {
				request.Header.Set(key, value)
			}
			s.wants(s.send(request), test.status)
			if asked := len(s.double.Requests()) > before; asked != (test.status == http.StatusOK) {
				t.Errorf("the platform was asked: %t", asked)
			}
		})
	}
}

func TestBrowsersThatDoNotSayWhereAFormIsFromNeedItsNonce(t *testing.T) {
	s := newSite(t)
	p := s.call("71450")
	forms := map[string]url.Values{
		"/tickets/76517/call": {},
		"/schedule":           s.scheduleForm("", valid()),
		p.path + "/decision":  {"finding": {"not made"}},
		p.path + "/look":      {},
		"/calls/397/flags":    {"bad_actor": {"yes"}},
		"/demo":               {"trick": {"response"}},
	}
	for path, form := range forms {
		request := s.newPost(path, form)
		request.Header.Del("Sec-Fetch-Site")
		s.wants(s.send(request), http.StatusBadRequest, "This page is out of date")
	}
	s.wantsCalls(1)
	if s.service.demo.next.Load() != nil || s.double.Flag(397).BadActor != nil {
		t.Error("a form without a nonce was accepted")
	}
	for path, action := range map[string]string{"/calls/397/flags": "/calls/397/flags", "/": "/demo"} {
		form := forms[action]
		form.Set("nonce", s.nonceOf(path, action))
		request := s.newPost(action, form)
		request.Header.Del("Sec-Fetch-Site")
		s.wants(s.send(request), http.StatusOK)
	}
}

func TestEveryPageHasTheFrame(t *testing.T) {
	s := newSite(t)
	send := func(method, path string) seen {
		request, _ := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		return s.send(request)
	}
	for _, test := range []struct {
		method, path string
		status       int
		says, allow  string
	}{
		{http.MethodGet, "/nothing", http.StatusNotFound, "There is no such page", ""},
		{http.MethodPost, "/nothing", http.StatusNotFound, "There is no such page", ""},
		{http.MethodGet, "/tickets/71450/call", http.StatusMethodNotAllowed, "That cannot be done here", "POST"},
		{http.MethodDelete, "/schedule", http.StatusMethodNotAllowed, "That cannot be done here", "GET, HEAD, POST"},
		{http.MethodPost, "/", http.StatusMethodNotAllowed, "That cannot be done here", "GET, HEAD"},
		{http.MethodPut, "/demo", http.StatusMethodNotAllowed, "That cannot be done here", "POST"},
	} {
		p := send(test.method, test.path)
		s.wants(p, test.status, test.says, "Back to the tickets")
		if !strings.Contains(p.body, `<nav aria-label="Main">`) || p.header.Get("Allow") != test.allow {
			t.Errorf("%s %s: allows %q:\n%s", test.method, test.path, p.header.Get("Allow"), p.body)
		}
	}
}

func TestPagesThatAskThePlatformAreBounded(t *testing.T) {
	s := newSite(t)
	for range maxTurns {
		s.service.turns <- struct{}{}
	}
	p := s.get("/calls/397/flags")
	s.wants(p, http.StatusServiceUnavailable, "This service is busy")
	if p.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	s.wants(s.get("/"), http.StatusOK)
}
