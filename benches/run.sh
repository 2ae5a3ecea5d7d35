#!/bin/sh
# `make bench`: builds, measures (about 5 minutes) and keeps the figures in benches/results/.
# Arguments go to the bench's `run`: --rounds N, --seconds S, --idle-streams N.
set -eu
cd "$(dirname "$0")/.."
benches/install.sh
built=$(benches/build.sh)
bench=$(echo "$built" | head -1)
turnpike=$(echo "$built" | tail -1)
# Thousands of idle streams are two sockets each in a proxy.
ulimit -n "$(ulimit -Hn)"
exec "$bench" run --turnpike "$turnpike" --results benches/results "$@"
