#!/usr/bin/env bash
# Types, lints and unit tests of the console.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/console-sources.sh

enter_console_sources
npm run --silent check
