module github.com/ccaip-go/calls/bench

go 1.26.0

require (
	github.com/ccaip-go/calls v0.0.0
	github.com/digitalocean/godo v1.240.0
	github.com/google/go-github/v93 v93.0.0
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/nyaruka/phonenumbers/v2 v2.0.8
	github.com/stripe/stripe-go/v86 v86.0.0
	github.com/twilio/twilio-go v1.31.0
	golang.org/x/oauth2 v0.38.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.2.2 // indirect
	github.com/golang/mock v1.6.0 // indirect
	github.com/google/go-querystring v1.2.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	golang.org/x/time v0.16.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace github.com/ccaip-go/calls => ../
