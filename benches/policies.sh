#!/bin/sh
# `make bench-policies`: builds, then compares a gateway with limits, budgets and access lists with one without,
# and with one that counts in Redis, which then goes away; fails if a promised figure is missed. Arguments go to the bench's
# `policies`: --rounds N.
set -eu
cd "$(dirname "$0")/.."
command -v redis-server >/dev/null || { echo "$0: redis-server is needed; make test installs it" >&2; exit 1; }
built=$(benches/build.sh)
bench=$(echo "$built" | head -1)
turnpike=$(echo "$built" | tail -1)
exec "$bench" policies --turnpike "$turnpike" --results benches/results/policies.md "$@"
