package calls_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ccaip-go/calls"
)

// FuzzCreatedCall sends a create that gets a 201 with any body. The result is the call
// with the id of the body; without an id it is an error of a call that exists.
//
// The seeds are long. Use -fuzzminimizetime 10x, or minimizing them takes all the time.
func FuzzCreatedCall(f *testing.F) {
	for _, e := range readExamples(f) {
		if e.Status == http.StatusCreated {
			f.Add([]byte(e.Response))
		}
	}
	for _, body := range []string{
		`{"id":397}`, `{"id":"397"}`, `{"id":397.0}`, `{"id":9007199254740993}`, `{"id":null}`, `{"id":{}}`, `{}`, ``, `[]`, `null`, `<html>`,
		`{"id":397,"selected_menu":{"hidden":"false"},"rating":"4","agent_info":{"agent_number":12}}`,
		`{"id":397,"transfers":[{"from_menu_path":{"name":"a"}},null,"x"],"voicemail_reaso":1}`,
		"\ufeff" + `{"id":397} trailing`, `{"id":397,"created_at":"2019-09-10"}`, `{"id":397,"photos":[[]],"videos":{}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		result, err := newClient(t, responding(http.StatusCreated, string(body))).CreateOutbound(t.Context(), anOutbound)
		id := idIn(body)
		if err != nil {
			if id > 0 {
				t.Errorf("the call %d is lost: %v", id, err)
			}
			if result != nil || !errors.Is(err, calls.ErrUndecodable) || calls.DeliveryOf(err) != calls.DeliveryAccepted {
				t.Errorf("result %v, error %v, delivery %v", result, err, calls.DeliveryOf(err))
			}
			return
		}
		call := result.Call
		if id > 0 && call.ID != id || call.ID == 0 || result.AwaitsAgent {
			t.Errorf("id %d, want %d", call.ID, id)
		}
		if string(call.RawJSON()) != string(body) {
			t.Errorf("RawJSON is %q, want %q", call.RawJSON(), body)
		}
		if _, err := json.Marshal(call); err != nil {
			t.Errorf("the call cannot be marshaled: %v", err)
		}
		if strings.Contains(fmt.Sprint(call), "%!") {
			t.Errorf("prints as %s", call)
		}
	})
}

// FuzzErrorResponse sends a create that gets an error status with any body. The error has
// the status and the body.
func FuzzErrorResponse(f *testing.F) {
	for message := range problems {
		f.Add(http.StatusBadRequest, message)
	}
	for _, s := range sentinels {
		f.Add(max(s.status, http.StatusBadRequest), s.message)
	}
	for _, text := range []string{"", "<html>", `{"message":"Contact not found"}`, `{"message":7}`, "{", "[]", "Language '", "Menu is in 'x", "menu_id  is not found", "\xff"} {
		f.Add(http.StatusBadRequest, text)
		f.Add(http.StatusBadGateway, text)
	}
	f.Fuzz(func(t *testing.T, status int, text string) {
		status = 300 + int(uint(status)%300)
		object, err := json.Marshal(map[string]string{"message": text})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{text, string(object)} {
			err := createError(t, responding(status, body))
			apiErr := apiErrorOf(t, err)
			if apiErr.StatusCode != status || string(apiErr.Body) != body[:min(len(body), 64<<10)] {
				t.Errorf("status %d and body %q, want %d and %q", apiErr.StatusCode, apiErr.Body, status, body)
			}
			if errors.Is(err, calls.ErrInvalidRequest) != (status == http.StatusBadRequest) {
				t.Errorf("%d is an invalid request: %v", status, err)
			}
			if errors.Is(err, calls.ErrOutcomeUnknown) != (status >= 500) || (calls.DeliveryOf(err) == calls.DeliveryRejected) != (status < 500) {
				t.Errorf("%d: %v, %v", status, err, calls.DeliveryOf(err))
			}
			if body == string(object) && len(body) <= 64<<10 && utf8.ValidString(text) && apiErr.Message != text {
				t.Errorf("message %q, want %q", apiErr.Message, text)
			}
			if !strings.HasPrefix(err.Error(), "calls: ") || !strings.Contains(apiErr.Message, apiErr.Param) && !strings.ContainsAny(text, "‘’") {
				t.Errorf("text %q, param %q of %q", err, apiErr.Param, apiErr.Message)
			}
		}
	})
}

// idIn returns the id of a body that has one as a positive integer, otherwise 0.
func idIn(body []byte) int64 {
	var object map[string]json.RawMessage
	text := strings.TrimPrefix(string(body), "\ufeff")
	if json.NewDecoder(strings.NewReader(text)).Decode(&object) != nil {
		return 0
	}
	id, err := strconv.ParseInt(string(object["id"]), 10, 64)
	if err != nil { // above int64, which a Call cannot have
		return 0
	}
	return id
}
