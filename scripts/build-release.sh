#!/bin/sh
# Builds Turnpike as users get it, laid out by the profile of real load (profile/README.md), and prints the
# binary's path.
set -eu
cd "$(dirname "$0")/.."
packed=profile/turnpike.profdata.gz
[ -f "$packed" ] || { echo "$0: $packed is missing; make profile makes it" >&2; exit 1; }
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/profile"
target=$(cd "$target" && pwd)
# Cargo does not look into the profile, so its name says what it holds: another one is another build.
name=$(cksum <"$packed" | tr ' ' '-')
profile=$target/profile/$name.profdata
if [ ! -f "$profile" ]; then
    gzip -dc "$packed" >"$profile.$$"
    mv "$profile.$$" "$profile"
fi
# Between flags stands a byte that no path has: RUSTFLAGS would be split at spaces.
separator=$(printf '\037')
flags=${CARGO_ENCODED_RUSTFLAGS:-$(printf %s "${RUSTFLAGS:-}" | tr -s ' ' '\037')}
# A function that has changed since the profile was counted is laid out as if nothing were known of it: no warning to
# whoever builds. VERBOSE_PROFILE=1 names them.
known="-Cprofile-use=$profile"
[ -n "${VERBOSE_PROFILE:-}" ] || known="$known$separator-Cllvm-args=-no-pgo-warn-mismatch"
export CARGO_ENCODED_RUSTFLAGS="$known${flags:+$separator$flags}"
binary=$(cargo build --release --locked --bin turnpike --message-format=json-render-diagnostics |
    sed -n '/"kind":\["bin"\]/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
[ -x "$binary" ] || { echo "$0: Turnpike was not built" >&2; exit 1; }
echo "$binary"
