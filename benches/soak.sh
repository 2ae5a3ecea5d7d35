#!/bin/sh
# `make soak`: builds, then ten minutes of mixed load; fails if memory does not come back.
# Arguments go to the bench's `soak`: --minutes N.
set -eu
cd "$(dirname "$0")/.."
built=$(benches/build.sh)
bench=$(echo "$built" | head -1)
turnpike=$(echo "$built" | tail -1)
ulimit -n "$(ulimit -Hn)"
exec "$bench" soak --turnpike "$turnpike" "$@"
