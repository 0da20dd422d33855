// Command go-github shows what importing go-github costs. See importcost.sh.
package main

import (
	"context"
	"os"

	"github.com/google/go-github/v93/github"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c, err := github.NewClient(github.WithAuthToken("bench"))
	if err != nil {
		panic(err)
	}
	heap.Report(afterInit, c)
	if len(os.Args) > 1 { // links the path of a request, is not run
		_, _, _ = c.Issues.Create(context.Background(), "octocat", "calls", github.CreateIssueRequest{})
	}
}
