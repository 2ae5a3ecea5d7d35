#!/usr/bin/env bash
# The console in a real browser, against the binary: what people do in it, page by page. Screenshots of
# every page go to CONSOLE_SHOTS, where that is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/console-tests.sh

TURNPIKE_BIN="$console_output/debug/turnpike"
export TURNPIKE_BIN
# As the tests before it have built it: by itself it would be built with other features, and anew.
cargo test --locked --test it --no-run
enter_console_tests
npx playwright test "$@"
