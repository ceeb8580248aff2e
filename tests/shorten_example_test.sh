#!/usr/bin/env bash
# Runs the example of short names for addresses, examples/shorten.
set -euo pipefail

shorten() { examples/shorten/shorten "$TEST_TMPDIR/links" "$@"; }

expect() {
  [[ $1 == "$2" ]] || { printf 'FAIL: %s\ninstead of: %s\n' "$1" "$2"; exit 1; }
}

expect "$(shorten add https://example.org/)" 1
expect "$(shorten add https://example.org/other)" 2
expect "$(shorten add https://example.org/)" 1
expect "$(shorten follow 2)" https://example.org/other
expect "$(shorten follow 2)" https://example.org/other
expect "$(shorten visits 2)" 2
if shorten follow 3 2> /dev/null; then
  expect 'a name that nobody has was found' ''
fi
if shorten visits 1 2> /dev/null; then
  expect 'nobody has followed 1' ''
fi
