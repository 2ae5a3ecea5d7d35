#!/bin/sh
# Builds the bench and the gateway in release mode and prints the paths of both, bench first.
# The gateway is built by itself, so that it is the binary that users get: features that only the
# bench's own dependencies turn on are not in it.
set -eu
cd "$(dirname "$0")/.."
bench=$(cargo build --release --locked --bench gateway --message-format=json-render-diagnostics |
    sed -n '/"kind":\["bench"\]/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
[ -x "$bench" ] || { echo "benches/build.sh: the bench was not built" >&2; exit 1; }
turnpike=$(scripts/build-release.sh)
[ -x "$turnpike" ] || { echo "benches/build.sh: the gateway was not built" >&2; exit 1; }
echo "$bench"
echo "$turnpike"
