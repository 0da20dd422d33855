package bench

import (
	"context"
	"net/http"
	"strconv"

	"github.com/digitalocean/godo"
	"github.com/google/go-github/v93/github"
	"github.com/stripe/stripe-go/v86"
	"github.com/twilio/twilio-go"
	twilioclient "github.com/twilio/twilio-go/client"
	twilioapi "github.com/twilio/twilio-go/rest/api/v2010"
	"golang.org/x/oauth2"
)

func newTwilio(_ string, hc *http.Client) (create, error) {
	base := &twilioclient.Client{
		Credentials: twilioclient.NewCredentials("ACbench", "secret"),
		HTTPClient:  hc,
	}
	base.SetAccountSid("ACbench")
	c := twilio.NewRestClientWithParams(twilio.ClientParams{Client: base})
	return func(context.Context) (string, error) { // CreateCall takes no context
		p := &twilioapi.CreateCallParams{}
		p.SetTo("+14155550100")
		p.SetFrom("+14155550123")
		p.SetUrl("https://calls.example.com/twiml/4021")
		p.SetStatusCallback("https://calls.example.com/status")
		p.SetTimeout(30)
		call, err := c.Api.CreateCall(p)
		if err != nil {
			return "", err
		}
		return *call.Sid, nil
	}, nil
}

func newStripe(baseURL string, hc *http.Client) (create, error) {
	c := stripe.NewClient("sk_bench", stripe.WithBackends(stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String(baseURL),
		HTTPClient:        hc,
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})))
	return func(ctx context.Context) (string, error) {
		pi, err := c.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
			Amount:      stripe.Int64(2599),
			Currency:    stripe.String("eur"),
			Customer:    stripe.String("cus_bench00000001"),
			Description: stripe.String("Order 48210377: support plan"),
			Metadata:    map[string]string{"order_id": "48210377"},
		})
		if err != nil {
			return "", err
		}
		return pi.ID, nil
	}, nil
}

func newGitHub(baseURL string, hc *http.Client) (create, error) {
	c, err := github.NewClient(
		github.WithHTTPClient(hc),
		github.WithEnterpriseURLs(baseURL, baseURL),
		github.WithAuthToken("bench"),
	)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (string, error) {
		issue, _, err := c.Issues.Create(ctx, "octocat", "calls", github.CreateIssueRequest{
			Title:  "Calls stuck in queue after failover",
			Body:   new("After the failover at 09:30 UTC new calls stay queued."),
			Labels: []string{"bug"},
		})
		if err != nil {
			return "", err
		}
		return strconv.Itoa(issue.GetNumber()), nil
	}, nil
}

func newGodo(baseURL string, hc *http.Client) (create, error) {
	// Token as in godo.NewFromToken, but without the retries it turns on.
	auth := &http.Client{Transport: &oauth2.Transport{
		Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "bench"}),
		Base:   hc.Transport,
	}}
	c, err := godo.New(auth, godo.SetBaseURL(baseURL))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (string, error) {
		droplet, _, err := c.Droplets.Create(ctx, &godo.DropletCreateRequest{
			Name:   "calls-01",
			Region: "fra1",
			Size:   "s-2vcpu-2gb",
			Image:  godo.DropletCreateImage{Slug: "debian-12-x64"},
			Tags:   []string{"calls"},
		})
		if err != nil {
			return "", err
		}
		return strconv.Itoa(droplet.ID), nil
	}, nil
}
