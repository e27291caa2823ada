# Bare `make` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

GOLANGCI_LINT := v2.15.0
GOVULNCHECK   := v1.9.0

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# Where `make run` and `make demo` keep their vault. A root's home is closed to the user that runs PostgreSQL.
DATA     ?= $(if $(filter 0,$(shell id -u)),/var/lib/trien/demo,$(CURDIR)/out/vault)
FUZZTIME ?= 5s
SOAKTIME ?= 1h
BUILD    := go build -trimpath -ldflags '-X main.version=$(VERSION)'
# Without version and repository in it, so that the same source makes the same bytes anywhere: /verify shows their SHA-256.
WASM     := GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags '-s -w'

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: packages
packages: ## install every Debian package that running and testing need (apt, with sudo if not root)
	@deploy/install-packages.sh test

.PHONY: build-machine run-machine test-machine interop-machine interop-quick-machine
build-machine run-machine test-machine interop-machine interop-quick-machine:
	@deploy/install-packages.sh $(@:-machine=)
	@deploy/check-machine.sh

.PHONY: build
build: build-machine ## build bin/trien (with the verifier for browsers), bin/trien-agent and bin/trien-verify
	@$(WASM) -o api/generated/verifier.wasm ./cmd/verify-wasm
	@gzip -9nf api/generated/verifier.wasm
	@install -m 644 "$$(go env GOROOT)/lib/wasm/wasm_exec.js" api/generated/wasm_exec.js
	@$(BUILD) -o bin/trien ./cmd/trien
	@$(BUILD) -o bin/trien-agent ./cmd/trien-agent
	@CGO_ENABLED=0 $(BUILD) -o bin/trien-verify ./cmd/trien-verify

.PHONY: install-agent
install-agent: build ## install trien-agent for this user: program, desktop entry, systemd user unit
	@install -D -m 755 bin/trien-agent "$$HOME/.local/bin/trien-agent"
	@install -D -m 644 deploy/agent/trien-agent.desktop "$$HOME/.local/share/applications/trien-agent.desktop"
	@install -D -m 644 deploy/agent/trien-agent.service "$$HOME/.config/systemd/user/trien-agent.service"

.PHONY: run
run: run-machine build ## start a vault on this machine, run the main job on a sample dossier, serve until Ctrl-C
	@mkdir -p "$$(dirname '$(DATA)')"
	@exec bin/trien demo --serve --data '$(DATA)'

.PHONY: demo
demo: run-machine build ## the same without serving; leaves out/dossier.pdf, out/anchors.pem, out/policy.txt
	@mkdir -p out "$$(dirname '$(DATA)')"
	@exec bin/trien demo --data '$(DATA)' --out out

.PHONY: test
test: test-machine ## run every test; prints the number of tests and the coverage of each package
	@mkdir -p out
	@go vet ./...
	@go test -v -count=1 -timeout 20m -cover $(TESTFLAGS) ./... 2>&1 | tee out/test.log | .ci/test-summary

.PHONY: fuzz
fuzz: build-machine ## run each fuzzer for FUZZTIME (5s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: bench
bench: run-machine build ## measure against a raw minio-go put, raw Trillian, tessera, pdfsign and pyHanko; prints a table, writes out/bench.json
	@mkdir -p out
	@$(BUILD) -o bin/trien-bench ./cmd/trien-bench
	@rm -f bin/trien-bench-tessera
	@go build -C cmd/trien-bench/tessera -o '$(CURDIR)/bin/trien-bench-tessera' . || echo 'tessera cannot be built: going on without it' >&2
	@{ deploy/install-packages.sh pyhanko && $(MAKE) .tools/interop/installed; } || echo 'pyHanko cannot be installed: going on without it' >&2
	@exec bin/trien-bench --server bin/trien --json out/bench.json $$([ ! -e .tools/interop/installed ] || echo --python .tools/interop/bin/python) \
		$$([ ! -e bin/trien-bench-tessera ] || echo --tessera bin/trien-bench-tessera)

.PHONY: interop interop-quick
interop: interop-machine .tools/interop/installed ## sign PDFs of many producers, have other programs judge them (INTEROP='--only scan')
	@$(BUILD) -o bin/trien-interop ./cmd/trien-interop
	@exec bin/trien-interop $(INTEROP)

interop-quick: interop-quick-machine .tools/interop/installed ## the same with few PDFs, without TeX, LibreOffice and Ghostscript
	@$(BUILD) -o bin/trien-interop ./cmd/trien-interop
	@exec bin/trien-interop --quick $(INTEROP)

.PHONY: ledger-check
ledger-check: test-machine ## publish a log of 100,000 leaves; tessera's fsck, torchwood and trien-verify judge it, whole and with bytes changed
	@go test -tags soak -v -count=1 -timeout 20m -run '^TestSoakStrangersJudgeTheCopy$$' ./ledger/trillianlog

.PHONY: soak
soak: test-machine ## the long tests: kill the server at random moments while deposits run, then fuzz-soak
	@go test -tags soak -v -count=1 -timeout 2h -run '^TestSoak' ./...
	@.ci/fuzz-soak $(SOAKTIME)

.PHONY: fuzz-soak
fuzz-soak: build-machine ## fuzz the readers of documents, signatures, time-stamps and answers for SOAKTIME (1h), within a memory bound
	@.ci/fuzz-soak $(SOAKTIME)

.PHONY: samples
samples: build-machine ## draw synthetic dossiers of invented people into out/samples
	@go run ./cmd/trien-samples --out out/samples

.PHONY: lint
lint: build-machine .tools/golangci-lint-$(GOLANGCI_LINT) ## run the linters and check the formatting
	@.tools/golangci-lint-$(GOLANGCI_LINT) run --allow-parallel-runners ./...

.PHONY: vuln
vuln: build-machine .tools/govulncheck-$(GOVULNCHECK) ## look for known vulnerabilities in called code
	@.ci/vuln .tools/govulncheck-$(GOVULNCHECK)

.PHONY: clean
clean: ## remove bin, out and what the page /verify embeds (and with it the vault of make run, unless DATA is elsewhere)
	@rm -rf bin out api/generated/verifier.wasm* api/generated/wasm_exec.js

# The name holds the version, so that a new pin installs anew.
.tools/golangci-lint-$(GOLANGCI_LINT):
	@echo 'building golangci-lint $(GOLANGCI_LINT) into .tools (once; takes minutes)'
	@GOBIN='$(CURDIR)/.tools' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	@mv .tools/golangci-lint $@

.tools/govulncheck-$(GOVULNCHECK):
	@echo 'building govulncheck $(GOVULNCHECK) into .tools (once)'
	@GOBIN='$(CURDIR)/.tools' go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)
	@mv .tools/govulncheck $@

# pyHanko and libraries that make PDFs, each with the hash that its file must have.
.tools/interop/installed: cmd/trien-interop/requirements.txt
	@rm -rf .tools/interop
	@python3 -m venv .tools/interop
	@.tools/interop/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@
