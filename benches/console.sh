#!/usr/bin/env bash
# `make bench-console`: how soon the console can be used, in a browser that has never seen it. TURNPIKE_BIN
# is the gateway to measure; without it, the optimized one is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/console-tests.sh

if [ -z "${TURNPIKE_BIN:-}" ]; then
    TURNPIKE_BIN=$(scripts/build-release.sh)
fi
FIGURES="$PWD/benches/results/console.md"
export TURNPIKE_BIN FIGURES
enter_console_tests
npx playwright test --config bench.config.ts
