#!/usr/bin/env bash
# Runs the examples of followers and change feeds, beside the command line:
# examples/follow, examples/events.
set -euo pipefail

stave="tools/stave/stave --store $TEST_TMPDIR/store"
follow="examples/follow/follow $TEST_TMPDIR/store"
events="examples/events/events $TEST_TMPDIR/store $TEST_TMPDIR/position"

expect() {
  [[ $1 == "$2" ]] || { printf 'FAIL: %s\ninstead of: %s\n' "$1" "$2"; exit 1; }
}

$stave put greeting hello
$follow greeting 3 > "$TEST_TMPDIR/shown" &
follower=$!
shown() { [[ $(tail -n 1 "$TEST_TMPDIR/shown") == "$1" ]]; }
until shown hello; do sleep 0.01; done
expect "$($events)" 'put greeting hello'
expect "$($events)" ''

$stave put greeting bonjour
until shown bonjour; do sleep 0.01; done
$stave put greeting ciao
wait $follower
expect "$(< "$TEST_TMPDIR/shown")" $'hello\nbonjour\nciao'

$stave delete greeting > /dev/null
expect "$($events)" $'put greeting bonjour\nput greeting ciao\ndelete greeting'
