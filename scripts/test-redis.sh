#!/usr/bin/env bash
# Tests what replicas share with the oldest Redis that is supported and with Valkey.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

needs=$(realpath "${CARGO_TARGET_DIR:-target}/test-needs")

for server in redis-6.2 valkey; do
    export TURNPIKE_TEST_REDIS="$needs/redis/$server/server"
    if [ ! -x "$TURNPIKE_TEST_REDIS" ]; then
        echo "there is no $server for this kind of machine: not tested"
        continue
    fi
    "$TURNPIKE_TEST_REDIS" --version
    # These servers are built without TLS.
    cargo test --locked --lib -- --skip tls_is_spoken \
        govern::tests::shared:: govern::tests::links:: govern::tests::twins:: route::health::redis_tests::
done
