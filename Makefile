# The one menu. `make help` lists it. Build output goes to $CARGO_TARGET_DIR, or to target/.

.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench bench-reports bench-translate bench-scale bench-policies bench-console soak profile fuzz

FUZZ_SECONDS ?= 60

help: ## List the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build Turnpike and start it with everything embedded
	scripts/build-console.sh
	exec "$$(scripts/build-release.sh)" quickstart

test: ## Install what tests need, check and test everything
	scripts/install-test-needs.sh
	scripts/build-console.sh
	$(MAKE) check
	scripts/check-console.sh
	cargo test --locked
	TURNPIKE_TEST_ENGINE=postgres cargo test --locked --test it -- provisioning:: ledger:: figures::
	scripts/test-redis.sh
	scripts/test-console.sh

check: ## Format, lints
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

fmt: ## Format the sources
	cargo fmt

bench: ## Measure against nginx and a bare Pingora proxy; figures go to benches/results/
	benches/run.sh

bench-reports: ## Write a million usage records to PostgreSQL and time their reports
	cargo bench --locked --bench reports -- --results $(CURDIR)/benches/results/reports.md

bench-translate: ## What translation costs for each event, and for a large request
	cargo bench --locked --bench translate -- --results $(CURDIR)/benches/results/translate.md

bench-scale: ## Start-up, memory and speed with 100,000 keys and 2,000 routes, beside ten
	benches/scale.sh

bench-policies: ## What limits, budgets and access lists cost, in process and over Redis, and when that goes away
	benches/policies.sh

bench-console: ## How soon the console can be used, in a browser that has never seen it
	benches/console.sh

soak: ## Ten minutes of mixed load; memory must come back
	benches/soak.sh

profile: ## Count under load what the release is laid out by (profile/README.md)
	benches/profile.sh

fuzz: ## Fuzz every target for FUZZ_SECONDS each; needs cargo-fuzz and a nightly toolchain
	cd fuzz && for target in $$(cargo +nightly fuzz list); do \
		cargo +nightly fuzz run "$$target" -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
