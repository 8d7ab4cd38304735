# make help lists the targets. Every target sets up what it needs by itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# What is missing is installed one after the other: the package manager has one lock.
.NOTPARALLEL:

# Where the machine's Go is too old to fetch another, tools/setup puts one here.
export PATH := $(CURDIR)/.cache/go/bin:$(PATH)

# go-nvml binds deprecated names on purpose: they are what older drivers have.
export CGO_CFLAGS := -Wno-deprecated-declarations
# Symbols that a driver lacks must stay unresolved until they are called.
export CGO_LDFLAGS := -Wl,-z,lazy

# The Go that the program is built with, whatever the machine's own is: go.mod pins one
# without known vulnerabilities, and go fetches it where it is missing.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" { print $$2 }' go.mod)

# The version is stamped below; git refuses to tell it to a user other than the checkout's owner, and go would fail.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)
BINARY := bin/validator-dashboard
TOOL := go tool -modfile=tools/go.mod

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/validator-dashboard
	@tools/setup go compiler
	@echo "Building $(BINARY) (some minutes the first time, seconds after that) ..."
	@CGO_ENABLED=1 go build -v -ldflags '$(LDFLAGS)' -o $(BINARY) . 2>&1 | tools/progress

.PHONY: run
run: ## install what is missing, build, and start the server on 127.0.0.1:3030
	@[ -n "$${DATABASE_URL:-}" ] || tools/setup postgres
	@$(MAKE) build
	exec $(BINARY) serve

.PHONY: demo
demo: ## the same over a simulated validator, to look around: no GPU, chain or data is needed
	@tools/setup postgres
	@$(MAKE) build
	exec $(BINARY) demo

# The tests put real proxies before the server, and a real pooler before its database.
.PHONY: proxies
proxies:
	@tools/proxies/fetch .cache/proxies

.PHONY: test
test: ## set up and run every test, with the race detector
	@tools/setup go compiler postgres chromium node
	@$(MAKE) proxies
	@echo "Compiling the program and its tests (some minutes the first time) ..."
	@CGO_ENABLED=1 go build -race -v ./... 2>&1 | tools/progress
	go vet ./...
	CGO_ENABLED=1 go test -race -timeout 25m ./...

# The tests that run the built program or write a year of a demo take minutes: make test has them.
.PHONY: check
check: ## while working: vet, lint what changed since the last commit, and the tests that need no browser
	@tools/setup go compiler postgres
	@$(MAKE) proxies
	go vet ./...
	@$(MAKE) .cache/golangci-lint
	.cache/golangci-lint run --new-from-rev=HEAD ./...
	go test $$(go list ./... | grep -v -e /e2e -e /demo/history)

.PHONY: test-fresh
test-fresh: ## run 'make run' and 'make test' on a bare Debian 12 and 13 (as root; SUITES and FRESH_DIR choose which and where)
	@tools/test-fresh $(SUITES)

.PHONY: test-devnet
test-devnet: ## run the tests of clients, sign-in and indexer against a real starknet-devnet
	@tools/setup go compiler postgres node
	@command -v starknet-devnet >/dev/null || { \
		echo "starknet-devnet was not found on the PATH. Versions 0.5 and 0.6 speak JSON-RPC 0.9: take one from" >&2; \
		echo "https://github.com/starknet-io/starknet-devnet/releases, or build it (Rust 1.95 is too new for it):" >&2; \
		echo "cargo install starknet-devnet --version 0.6.1 --locked" >&2; \
		exit 1; }
	STARKNET_DEVNET="$$(command -v starknet-devnet)" go test -run '^TestTestnet' -timeout 25m -count 1 -v ./e2e/... ./chain ./chain/devchain

.PHONY: shots
shots: ## take the README's screenshots of the demo
	@tools/setup go compiler postgres chromium fonts
	go test -run '^TestShots$$' -timeout 15m -count 1 ./e2e/program -shots

# 1 is 12 million jobs: some 55 GB of disk and, the first time, half an hour to generate them.
SCALE ?= 1

.PHONY: bench-db
bench-db: ## measure the database on generated rows (SCALE=0.01 for a quick look)
	@tools/setup postgres
	@$(MAKE) build
	go run ./db/bench -scale $(SCALE) -program $(BINARY)

.PHONY: faults
faults: ## break on purpose what the program stands on, and print what came of it (ONLY='regexp' of faults, OUT=file for the table)
	@tools/setup go compiler postgres >&2
	@$(MAKE) build >&2
	@CGO_ENABLED=1 go run ./e2e/faults -program $(BINARY) $(if $(ONLY),-only '$(ONLY)') $(if $(OUT),-out '$(OUT)')

.PHONY: generate
generate: ## write the generated code anew (sqlc, templ)
	@tools/setup go
	CGO_ENABLED=0 $(TOOL) sqlc generate
	CGO_ENABLED=0 $(TOOL) templ generate -path views -include-version=false

.PHONY: schema
schema: ## write db/schema.sql anew from the migrations
	@tools/setup go compiler postgres
	go test -run '^TestTheSchemaFile' -count 1 ./db -update-schema

.PHONY: vuln
vuln: ## look for known vulnerabilities in what the program calls (govulncheck)
	@tools/setup go compiler
	@mkdir -p .cache
	CGO_ENABLED=0 go build -modfile=tools/vuln/go.mod -o .cache/ golang.org/x/vuln/cmd/govulncheck golang.org/x/vulndb/cmd/indexdb
	go mod download -modfile=tools/vuln/go.mod golang.org/x/vulndb
	rm -rf .cache/vulndb
	.cache/indexdb -out .cache/vulndb -vulns "$$(go list -modfile=tools/vuln/go.mod -m -f '{{.Dir}}' golang.org/x/vulndb)/data/osv"
	tools/vuln/check .cache/govulncheck "file://$(CURDIR)/.cache/vulndb"

.PHONY: lint
lint: ## check style and the import table (golangci-lint)
	@tools/setup go compiler
	@$(MAKE) .cache/golangci-lint
	.cache/golangci-lint run ./...

.cache/golangci-lint: tools/lint/go.mod tools/lint/go.sum go.mod
	@mkdir -p .cache
	CGO_ENABLED=0 go build -modfile=tools/lint/go.mod -o .cache/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: fresh
fresh: generate ## fail if generated code is stale
	@git diff --exit-code -- db views || { echo "Generated code is stale: commit what 'make generate' writes."; exit 1; }
