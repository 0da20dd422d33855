package callstest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
)

// answer is what the platform says to a request, before a fault has its way.
type answer struct {
	status int
	header http.Header // beyond the type and the length of the body; can be nil
	body   []byte      // JSON; nil for none
}

// answerJSON takes values of this package only, which always encode.
func answerJSON(status int, value any) answer {
	body, _ := json.Marshal(value)
	return answer{status: status, body: body}
}

func answerMessage(status int, message string) answer {
	return answerJSON(status, struct {
		Message string `json:"message"`
	}{message})
}

// answerStatus says no more than its status. What the platform says with most
// of them is not documented, so the text is the double's own.
func answerStatus(status int) answer {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return answer{status: status} // HTTP allows no body
	}
	return answerMessage(status, http.StatusText(status))
}

func refuse(message string) answer { return answerMessage(http.StatusBadRequest, message) }

func notFound() answer { return answerMessage(http.StatusNotFound, "Not Found") }

// fields returns the header, the length of the body aside.
func (a answer) fields() http.Header {
	h := http.Header{}
	maps.Copy(h, a.header)
	if len(a.body) > 0 {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	return h
}

// wire is the answer as it goes over a connection.
func (a answer) wire() []byte {
	response := http.Response{
		StatusCode:    a.status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.fields(),
		ContentLength: int64(len(a.body)),
		Body:          io.NopCloser(bytes.NewReader(a.body)),
	}
	var wire bytes.Buffer
	_ = response.Write(&wire) // to memory, which takes everything
	return wire.Bytes()
}
