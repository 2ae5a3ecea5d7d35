#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: system packages, and the official
# SDKs in a folder beside the build's output. Quick when everything is there; safe to run again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

needs="${CARGO_TARGET_DIR:-target}/test-needs"

has() { command -v "$1" >/dev/null 2>&1; }

# The system packages that are missing, by what they provide.
missing_packages() {
    has cc || echo build-essential
    has cmake || echo cmake
    has pkg-config || echo pkg-config
    has curl || echo curl
    has node || echo nodejs
    has npm || echo npm
    has python3 || echo python3
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql
    has psql || echo postgresql-client
    has pgrep || echo procps
    has redis-server || echo redis-server
    python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
}

install_packages() {
    local packages sudo=()
    mapfile -t packages < <(missing_packages)
    [ "${#packages[@]}" -gt 0 ] || return 0
    if ! has apt-get; then
        echo "please install: ${packages[*]}" >&2
        exit 1
    fi
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    echo "installing: ${packages[*]}"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

require_rust() {
    if ! has cargo; then
        echo "please install Rust with rustup; rust-toolchain.toml names the version" >&2
        exit 1
    fi
}

# Whether the folder was made from exactly these files.
is_made_from() {
    local folder=$1
    shift
    [ -f "$folder/.made-from" ] && cat "$@" | cmp -s - "$folder/.made-from"
}

# A folder below the needs, made of a list of Python packages with their hashes.
install_python() {
    local folder="$needs/$1" lock=$2 what=$3
    is_made_from "$folder" "$lock" && return 0
    echo "installing $what"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --only-binary :all: -r "$lock"
    cp "$lock" "$folder/.made-from"
}

install_node_sdks() {
    local folder="$needs/node" source=tests/sdk/node
    is_made_from "$folder" "$source/package.json" "$source/package-lock.json" && return 0
    echo "installing the Node SDKs"
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$source/package.json" "$source/package-lock.json" "$folder/"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cat "$source/package.json" "$source/package-lock.json" >"$folder/.made-from"
}

install_packages
require_rust
mkdir -p "$needs"
install_python python tests/sdk/python/requirements.txt "the Python SDKs"
install_python llamaindex tests/sdk/llamaindex/requirements.txt "LlamaIndex"
install_python api tests/api/requirements.txt "the API's fuzzer"
install_node_sdks
