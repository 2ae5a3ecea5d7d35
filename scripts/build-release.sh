#!/bin/sh
# Builds Turnpike as users get it, laid out by the profile of real load (profile/README.md), and prints the
# binary's path.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
# Cargo does not look into the profile, so its name says what it holds: another one is another build.
name=$(cksum <profile/turnpike.profdata.gz | tr ' ' '-')
mkdir -p "$target/profile"
target=$(cd "$target" && pwd)
profile=$target/profile/$name.profdata
if [ ! -f "$profile" ]; then
    gzip -dc profile/turnpike.profdata.gz >"$profile.$$"
    mv "$profile.$$" "$profile"
fi
RUSTFLAGS="-Cprofile-use=$profile ${RUSTFLAGS:-}" cargo build --release --locked --bin turnpike >&2
echo "$target/release/turnpike"
