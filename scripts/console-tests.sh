# shellcheck shell=bash
# To be sourced: puts the tests of the console beside the build's output, with what they need, and goes
# there. Its runs of Playwright keep what they leave there, too.
. scripts/console-sources.sh

enter_console_tests() {
    CONSOLE_TEST_OUTPUT="$console_output/console-test-output"
    export CONSOLE_TEST_OUTPUT
    copy_console_sources
    local place="$console_place/tests/console"
    mkdir -p "$place"
    find "$place" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
    tar -C tests/console --exclude=./node_modules -cf - . | tar -C "$place" -xf -
    cd "$place"
    if ! cmp -s package-lock.json node_modules/.made-from; then
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        cp package-lock.json node_modules/.made-from
    fi
    npx tsc --noEmit
}
