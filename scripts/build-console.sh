#!/usr/bin/env bash
# Builds the console into the folder `console` of the build's output, from where build.rs takes it; does
# nothing where it is up to date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/console-sources.sh

# What the build depends on, in one number.
fingerprint() {
    {
        find console -type f \
            -not -path 'console/node_modules/*' -not -path 'console/dist/*' -print0
        printf '%s\0' docs/openapi.json scripts/*console*
    } | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

if ! command -v npm >/dev/null; then
    echo "npm is not installed: Turnpike is built without its console (Node.js 20.19 or newer builds it)" >&2
    exit 0
fi
now=$(fingerprint)
if [ "$(cat "$console_output/console/.built-from" 2>/dev/null)" = "$now" ]; then
    exit 0
fi
echo "building the console"
enter_console_sources
npm run --silent build -- --logLevel warn
node ../scripts/compress-console.mjs dist
echo "$now" >dist/.built-from
rm -rf "$console_output/console"
mv dist "$console_output/console"
