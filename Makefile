# make help lists the targets. Every target sets up what it needs by itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# go-nvml binds deprecated names on purpose: they are what older drivers have.
export CGO_CFLAGS := -Wno-deprecated-declarations
# Symbols that a driver lacks must stay unresolved until they are called.
export CGO_LDFLAGS := -Wl,-z,lazy

# The Go that the program is built with, whatever the machine's own is: go.mod pins one
# without known vulnerabilities, and go fetches it where it is missing.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" { print $$2 }' go.mod)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)
BINARY := bin/validator-dashboard
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
TOOL := go tool -modfile=tools/go.mod

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/validator-dashboard
	go build -ldflags '$(LDFLAGS)' -o $(BINARY) .

.PHONY: run
run: postgres build ## install what is missing, build, and start the server on 127.0.0.1:3030
	exec $(BINARY) serve

.PHONY: demo
demo: postgres build ## the same over a simulated validator, to look around: no GPU, chain or data is needed
	exec $(BINARY) demo

.PHONY: test
test: postgres compiler chromium starknetjs ## set up and run every test, with the race detector
	go vet ./...
	go test -race -timeout 25m ./...

.PHONY: test-devnet
test-devnet: postgres compiler starknetjs ## run the tests of clients, sign-in and indexer against a real starknet-devnet
	@command -v starknet-devnet >/dev/null || { \
		echo "starknet-devnet was not found on the PATH. Versions 0.5 and 0.6 speak JSON-RPC 0.9: take one from" >&2; \
		echo "https://github.com/starknet-io/starknet-devnet/releases, or build it (Rust 1.95 is too new for it):" >&2; \
		echo "cargo install starknet-devnet --version 0.6.1 --locked" >&2; \
		exit 1; }
	STARKNET_DEVNET="$$(command -v starknet-devnet)" go test -run '^TestTestnet' -timeout 25m -count 1 -v . ./chain ./chain/devchain

.PHONY: shots
shots: postgres chromium ## take the README's screenshots of the demo
	@fc-list 2>/dev/null | grep -qi inter || { if command -v apt-get >/dev/null; then DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -q --no-install-recommends fonts-inter; fi; }
	go test -run '^TestShots$$' -timeout 15m -count 1 . -shots

# 1 is 12 million jobs: some 55 GB of disk and, the first time, half an hour to generate them.
SCALE ?= 1

.PHONY: bench-db
bench-db: postgres build ## measure the database on generated rows (SCALE=0.01 for a quick look)
	go run ./db/bench -scale $(SCALE) -program $(BINARY)

.PHONY: generate
generate: ## write the generated code anew (sqlc, templ)
	CGO_ENABLED=0 $(TOOL) sqlc generate
	CGO_ENABLED=0 $(TOOL) templ generate -path views -include-version=false

.PHONY: vuln
vuln: ## look for known vulnerabilities in what the program calls (govulncheck)
	@mkdir -p .cache
	CGO_ENABLED=0 go build -modfile=tools/vuln/go.mod -o .cache/ golang.org/x/vuln/cmd/govulncheck golang.org/x/vulndb/cmd/indexdb
	go mod download -modfile=tools/vuln/go.mod golang.org/x/vulndb
	rm -rf .cache/vulndb
	.cache/indexdb -out .cache/vulndb -vulns "$$(go list -modfile=tools/vuln/go.mod -m -f '{{.Dir}}' golang.org/x/vulndb)/data/osv"
	tools/vuln/check .cache/govulncheck "file://$(CURDIR)/.cache/vulndb"

.PHONY: lint
lint: ## check style and the import table (golangci-lint)
	@mkdir -p .cache
	CGO_ENABLED=0 go build -modfile=tools/lint/go.mod -o .cache/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.cache/golangci-lint run ./...

.PHONY: fresh
fresh: generate ## fail if generated code is stale
	@git diff --exit-code -- db views || { echo "Generated code is stale: commit what 'make generate' writes."; exit 1; }

# The private PostgreSQL needs initdb and postgres; Debian keeps them outside the PATH.
.PHONY: postgres
postgres:
	@if [ -n "$${DATABASE_URL:-}$${PG_BINDIR:-}" ] && [ "$(MAKECMDGOALS)" = run ]; then exit 0; fi; \
	for f in /usr/lib/postgresql/*/bin/initdb "$$(command -v initdb || true)"; do [ -x "$$f" ] && exit 0; done; \
	if command -v apt-get >/dev/null; then \
		echo "Installing PostgreSQL's server (Debian package postgresql) ..."; \
		$(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -q --no-install-recommends postgresql; \
	else \
		echo "PostgreSQL 14 or newer is needed and was not found. Install its server (it brings initdb and postgres)," >&2; \
		echo "set PG_BINDIR to their folder, or set DATABASE_URL to a server that runs elsewhere." >&2; \
		exit 1; \
	fi

# Browser tests drive a real Chromium.
.PHONY: chromium
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests ..."; \
		$(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -q --no-install-recommends chromium; \
	else \
		echo "The browser tests need Chromium, and none was found: install it so that 'chromium' is on the PATH." >&2; exit 1; \
	fi

# Tests build a stand-in for NVIDIA's library.
.PHONY: compiler
compiler:
	@command -v cc >/dev/null || { \
		if command -v apt-get >/dev/null; then $(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -q --no-install-recommends gcc libc6-dev; \
		else echo "A C compiler (cc) is needed for go-nvml and was not found." >&2; exit 1; fi; }

# Tests drive devchain with starknet.js, which node runs.
STARKNETJS := chain/devchain/testdata/starknetjs

.PHONY: starknetjs
starknetjs:
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		if command -v apt-get >/dev/null; then $(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -q --no-install-recommends nodejs npm; \
		else echo "The tests with starknet.js need node and npm, and none was found." >&2; exit 1; fi; }
	@cmp -s $(STARKNETJS)/package-lock.json $(STARKNETJS)/node_modules/installed-lock.json || { \
		echo "Installing starknet.js for the tests ..."; \
		npm ci --prefix $(STARKNETJS) --ignore-scripts --no-audit --no-fund --loglevel=error && \
		cp $(STARKNETJS)/package-lock.json $(STARKNETJS)/node_modules/installed-lock.json; }
