package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/ccaip-go/calls"
)

// witness remembers what the platform said about a create. The ledger keeps the id
// of the call only, and pages show more of it.
type witness struct {
	call *calls.Call // nil if the response has none
	err  error       // of the create
}

type witnessKey struct{}

// witnessed returns a context to make one create with.
func witnessed(ctx context.Context) (context.Context, *witness) {
	w := &witness{}
	return context.WithValue(ctx, witnessKey{}, w), w
}

// witnessing returns the options of a Client whose creates have witnesses.
func witnessing() []calls.Option {
	return []calls.Option{
		calls.WithMiddleware(witnessResponses),
		calls.WithObserver(calls.Observer{Done: func(ctx context.Context, _ string, err error) {
			if w, ok := ctx.Value(witnessKey{}).(*witness); ok {
				w.err = err
			}
		}}),
	}
}

func witnessResponses(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		w, isWitnessed := r.Context().Value(witnessKey{}).(*witness)
		if err == nil && isWitnessed && r.Method == http.MethodPost && response.StatusCode == http.StatusCreated {
			response.Body = &witnessedBody{ReadCloser: response.Body, witness: w}
		}
		return response, err
	})
}

// maxWitnessed is how much of a response is remembered, in bytes.
const maxWitnessed = 1 << 20

// witnessedBody decodes what is read from it once it has come to its end.
type witnessedBody struct {
	io.ReadCloser
	witness *witness
	read    bytes.Buffer
}

func (b *witnessedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.read.Len() < maxWitnessed {
		b.read.Write(p[:n])
	}
	var c calls.Call
	if errors.Is(err, io.EOF) && json.Unmarshal(b.read.Bytes(), &c) == nil {
		b.witness.call = &c
	}
	return n, err
}
