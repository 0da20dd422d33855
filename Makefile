# The short names of what CONTRIBUTING.md describes.

.PHONY: test race lint fuzz bench api record-api ci

test:
	go test ./...

race:
	go test -race ./...

lint:
	.ci/run format lint

fuzz: # FUZZTIME=1m make fuzz
	.ci/run fuzz

bench:
	go test -run '^$$' -bench . -benchmem .
	bench/bench.sh

api: # what has changed since the recorded API
	.ci/run api

record-api:
	.ci/run record_api

ci:
	.ci/run
