#!/usr/bin/env bash
# The console in a real browser, against the binary: what people do in it, page by page. Screenshots of
# every page go to CONSOLE_SHOTS, where that is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/console-sources.sh

TURNPIKE_BIN="$console_output/debug/turnpike"
CONSOLE_TEST_OUTPUT="$console_output/console-test-output"
export TURNPIKE_BIN CONSOLE_TEST_OUTPUT
# As the tests before it have built it: by itself it would be built with other features, and anew.
cargo test --locked --test it --no-run
copy_console_sources
place="$console_place/tests/console"
mkdir -p "$place"
find "$place" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
tar -C tests/console --exclude=./node_modules -cf - . | tar -C "$place" -xf -
cd "$place"
if ! cmp -s package-lock.json node_modules/.made-from; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.made-from
fi
npx tsc --noEmit
npx playwright test "$@"
