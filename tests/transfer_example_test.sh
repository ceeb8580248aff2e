#!/usr/bin/env bash
# Runs the example of transactions, examples/transfer.
set -euo pipefail

transfer=examples/transfer/transfer
bank=$TEST_TMPDIR/bank

expect() {
  [[ $1 == "$2" ]] || { printf 'FAIL: %s\ninstead of: %s\n' "$1" "$2"; exit 1; }
}

expect "$($transfer "$bank" alice bob 30)" $'alice has 70\nbob has 130'
expect "$($transfer "$bank" bob carol 130)" $'bob has 0\ncarol has 230'
expect "$($transfer "$bank" alice alice 5)" $'alice has 70\nalice has 70'
if $transfer "$bank" bob alice 1 2> /dev/null; then
  expect 'an account was overdrawn' ''
fi
expect "$($transfer "$bank" bob alice 0)" $'bob has 0\nalice has 70'
