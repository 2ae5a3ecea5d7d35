#!/bin/sh
# Installs what the bench compares with: nginx, from the system's packages, if it is not there.
set -eu
command -v nginx >/dev/null 2>&1 && exit 0
command -v apt-get >/dev/null 2>&1 || {
    echo "benches/install.sh: no nginx and no apt-get; install nginx by hand" >&2
    exit 1
}
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
# RUNLEVEL=1 keeps the package from starting a server: the bench starts its own, on loopback.
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends nginx-light >/dev/null
nginx -v
