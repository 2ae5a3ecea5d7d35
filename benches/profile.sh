#!/bin/sh
# `make profile`: what scripts/build-release.sh lays the release out by. Turnpike is built so that it
# counts which way it goes, and given the load of the benches; their figures mean nothing here.
set -eu
cd "$(dirname "$0")/.."
benches/install.sh
command -v redis-server >/dev/null || { echo "$0: redis-server is needed; make test installs it" >&2; exit 1; }
profdata=$(find "$(rustc --print sysroot)/lib/rustlib" -name llvm-profdata -type f | head -1)
for version in 22 21 20 19; do
    [ -n "$profdata" ] || profdata=$(command -v "llvm-profdata-$version" || true)
done
[ -n "$profdata" ] || {
    echo "$0: llvm-profdata is needed: rustup component add llvm-tools, or the system's llvm-19" >&2
    exit 1
}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
counting=$(cd "$target" && pwd)/counting
bench=$(cargo build --release --locked --bench gateway --message-format=json-render-diagnostics |
    sed -n '/"kind":\["bench"\]/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
[ -x "$bench" ] || { echo "$0: the bench was not built" >&2; exit 1; }

raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
# What build scripts count goes to a folder of its own, which nobody reads.
export LLVM_PROFILE_FILE="$raw/build/%p-%m.profraw"
# By itself, as the release is: with a bench beside it, features of the bench's dependencies would give other
# names to all functions, and none of what was counted would be found again.
CARGO_TARGET_DIR=$counting RUSTFLAGS=-Cprofile-generate cargo build --release --locked --bin turnpike
turnpike=$counting/release/turnpike

export LLVM_PROFILE_FILE="$raw/load/%p-%m.profraw"
"$bench" run --turnpike "$turnpike" --rounds 2 --seconds 6 --idle-streams 200
# A gateway that counts breaks these bounds, which makes no difference to what it has counted.
"$bench" policies --turnpike "$turnpike" --rounds 1 || true

# Sparse: what never ran here (translations, for one) is built as if nothing were known of it, and not as rare.
"$profdata" merge --sparse -o "$raw/turnpike.profdata" "$raw"/load/*.profraw
gzip -9nc "$raw/turnpike.profdata" >profile/turnpike.profdata.gz
ls -l profile/turnpike.profdata.gz
