#!/bin/sh
# `make bench-scale`: builds, then compares a gateway of 100,000 keys and 2,000 routes with one of ten;
# fails if a promised figure is missed. Arguments go to the bench's `scale`: --keys N, --routes N,
# --rounds N.
set -eu
cd "$(dirname "$0")/.."
built=$(benches/build.sh)
bench=$(echo "$built" | head -1)
turnpike=$(echo "$built" | tail -1)
exec "$bench" scale --turnpike "$turnpike" --results benches/results/scale.md "$@"
