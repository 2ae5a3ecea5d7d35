# shellcheck shell=bash
# To be sourced: puts the console's sources and what they need beside the build's output, so that
# nothing is written into the checkout, and goes there.

console_output="$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)"
console_place="$console_output/console-build"

copy_console_sources() {
    mkdir -p "$console_place/docs" "$console_place/console" "$console_place/scripts"
    # Everything but what was installed there before.
    find "$console_place/console" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
    tar -C console --exclude=./node_modules --exclude=./dist -cf - . |
        tar -C "$console_place/console" -xf -
    cp docs/openapi.json "$console_place/docs/"
    cp scripts/compress-console.mjs "$console_place/scripts/"
}

enter_console_sources() {
    copy_console_sources
    cd "$console_place/console"
    if ! cmp -s package-lock.json node_modules/.made-from; then
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        cp package-lock.json node_modules/.made-from
    fi
}
