#!/usr/bin/env bash
# Types, lints and unit tests of the console, with what they make outside the checkout where
# CARGO_TARGET_DIR says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

place="${CARGO_TARGET_DIR:-target}/test-needs/console"
mkdir -p "$place/docs"
# Everything but what was installed there before.
find "$place/console" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} + 2>/dev/null || true
mkdir -p "$place/console"
tar -C console --exclude=./node_modules --exclude=./dist -cf - . | tar -C "$place/console" -xf -
cp docs/openapi.json "$place/docs/"
cd "$place/console"
if ! cmp -s package-lock.json node_modules/.made-from; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.made-from
fi
npm run --silent check
