#!/usr/bin/env bash
# Runs the example of keys that expire, examples/sessions.
set -euo pipefail

sessions() { examples/sessions/sessions "$TEST_TMPDIR/sessions" "$@"; }

expect() {
  [[ $1 == "$2" ]] || { printf 'FAIL: %s\ninstead of: %s\n' "$1" "$2"; exit 1; }
}

token=$(sessions 1h login alice)
other=$(sessions 1h login bob)
expect "$(sessions 1h who "$token")" alice
expect "$(sessions 1h who "$other")" bob
expect "$(sessions 1h who nonsense || true)" nobody
expect "$(sessions 1h logout "$other")" goodbye
expect "$(sessions 1h logout "$other")" 'was not logged in'
expect "$(sessions 1h who "$other" || true)" nobody

# Of a session that may rest a millisecond nothing is left, sooner or later.
until [[ $(sessions 1ms logout "$(sessions 1ms login carol)") == was* ]]; do
  :
done
