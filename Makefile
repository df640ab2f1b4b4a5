# Few targets; each is one command that also works without make.
GO ?= go
MODULES := . ./adapter/azuread ./adapter/clientgolang ./adapter/echo ./adapter/fasthttp ./adapter/fiber ./adapter/gin ./adapter/hertz ./adapter/htpasswd ./adapter/otel ./adapter/sigv4 ./bench ./cmd/promwire ./examples/chi ./examples/sql ./internal/difftest
LINT_VERSION := v2.15.0
FUZZTIME ?= 10s
TOOLS := $(CURDIR)/.tools

.PHONY: test race lint fmt tidy fuzz fuzz-handlers outside slow bench bars relay-bench serve-bench query-bench crash damage faults runs partition compat senders static ci release

test: ## all tests of all modules
	$(GO) test work

race: ## the same under the race detector
	$(GO) test -race work

lint: $(TOOLS)/golangci-lint ## linters and import rules in every module
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(TOOLS)/golangci-lint run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...) || exit 1; done

fmt: $(TOOLS)/golangci-lint ## formats every module
	@for m in $(MODULES); do (cd $$m && $(TOOLS)/golangci-lint fmt --config $(CURDIR)/.golangci.yml) || exit 1; done

tidy: ## tidies every module on its own
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) mod tidy) || exit 1; done

fuzz: ## every fuzz target for FUZZTIME
	scripts/fuzz $(FUZZTIME)

fuzz-handlers: ## 10 million hostile requests for each handler, under bounds on memory (half an hour)
	scripts/fuzz-handlers

outside: ## programs outside of the checkout, for each web framework, that have of promwire what the README says
	scripts/outside

slow: ## 1,000 slow senders beside 100 good ones
	PROMWIRE_SLOW_SENDERS=1000 $(GO) test -run SlowSenders -v -count 1 ./server

bench: ## promwire and its peers in one run; writes bench/out.txt
	bench/run bench/out.txt

bars: ## judges bench/out.txt by the bars
	cd bench && $(GO) run ./cmd/bars out.txt

relay-bench: ## what promwire relay costs beside Prometheus in agent mode and vmagent; a quarter of an hour
	scripts/servers victoriametrics >/dev/null && servers=$$(scripts/servers prometheus) && bin=$$(mktemp -d) && trap 'rm -r -- "$$bin"' EXIT && \
		$(GO) build -o "$$bin/promwire" ./cmd/promwire && cd bench && \
		$(GO) run ./relay -promwire "$$bin/promwire" -prometheus "$$servers/prometheus" -vmagent "$$servers/vmagent" $(RELAY_BENCH)

query-bench: ## latency of 56 PromQL queries beside a real Prometheus 3 on the same data, some minutes
	PROMWIRE_SERVERS=$$(scripts/servers prometheus) $(GO) test -run '^$$' -bench BenchmarkQuery -benchtime 20x -count 5 ./cmd/promwire/internal/servebench

serve-bench: ## what promwire serve costs beside Prometheus and VictoriaMetrics; an hour
	scripts/servers victoriametrics >/dev/null && servers=$$(scripts/servers prometheus) && bin=$$(mktemp -d) && trap 'rm -r -- "$$bin"' EXIT && \
		$(GO) build -o "$$bin/promwire" ./cmd/promwire && cd bench && \
		$(GO) run ./serve -promwire "$$bin/promwire" -prometheus "$$servers/prometheus" -victoriametrics "$$servers/victoria-metrics" $(SERVE_BENCH)

crash: ## 500 times kill -9 of the store, the relay, the agent and the spool, under load
	PROMWIRE_CRASH_ROUNDS=500 $(GO) test -run Crash -v -count 1 -timeout 120m ./cmd/promwire ./spool

damage: ## 1,000 random damages of logs and head chunks, and as many of blocks
	PROMWIRE_DAMAGE_ROUNDS=1000 $(GO) test -run 'Damaged(Logs|Blocks)' -v -count 1 -timeout 60m ./cmd/promwire/internal/tsdbstore

faults: ## relay and agent against all that goes wrong between them and a receiver, and a full disk, at length
	PROMWIRE_FAULT_ROUNDS=10 $(GO) test -run 'RelayFaults|AgentFaults|FullDisk' -v -count 1 -timeout 30m ./cmd/promwire ./spool

runs: ## 1,000 runs of a job with a state, half of them killed, against a real Prometheus
	servers=$${PROMWIRE_SERVERS:-$$(scripts/servers debian)} && PROMWIRE_STATE_RUNS=1000 PROMWIRE_REQUIRE_SERVERS=1 PROMWIRE_SERVERS=$$servers \
		$(GO) test -run StateAcrossRuns -count 1 -v -timeout 60m ./cmd/promwire/internal/compat/realserver

partition: ## a queue, a relay and an agent cut off from their receiver for ten minutes
	PROMWIRE_PARTITION=10m $(GO) test -run QueueFaults/partition -v -count 1 -timeout 30m ./remote
	PROMWIRE_PARTITION=10m $(GO) test -run 'RelayPartition|AgentPartition' -v -count 1 -timeout 40m ./cmd/promwire

compat: ## the tests against all real servers; builds most of them the first time (an hour of CPU)
	servers=$$(scripts/servers debian current engines) && PROMWIRE_SERVERS=$$servers PROMWIRE_REQUIRE_SERVERS=all \
		$(GO) test -count 1 -timeout 30m ./cmd/promwire/internal/compat/...

senders: ## ten minutes of everything that sends, through refusals and a kill of the receiver; builds the senders the first time
	servers=$$(scripts/servers debian current telegraf) && PROMWIRE_SERVERS=$$servers PROMWIRE_REQUIRE_SERVERS=all PROMWIRE_SENDERS=$${PROMWIRE_SENDERS:-10m} \
		$(GO) test -run Senders -count 1 -v -timeout 40m ./cmd/promwire/internal/compat/senders

static: ## the static binary of the Containerfile, run in an empty root as root
	scripts/static

ci: ## everything the gate runs
	.ci/run

release: ## shows what a release would do; VERSION=v0.1.0
	scripts/release $(VERSION)

$(TOOLS)/golangci-lint:
	GOWORK=off GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
