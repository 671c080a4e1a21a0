# Everything a newcomer needs: `make demo` shows the shop, `make test` proves it.

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build the program and open the demo retailer with its whole year; MONTHS=2 is quicker
	cargo build --release -p tandem
	./target/release/tandem demo --months $(or $(MONTHS),13)

test: ## install what the tests need, then run all of them
	./scripts/install-test-needs
	./scripts/test

bench: ## measure the program on this machine
	cargo build --release -p tandem
	./target/release/tandem bench

lint: ## format, lints, licences and sources, without running a test
	./scripts/lint
