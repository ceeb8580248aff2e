#!/usr/bin/env bash
# The proof that the tests bite: takes away each site of
# engine/base/durability_site.h in turn, and runs the part of the tests that
# tests/README.md says would notice, which must fail then. With nothing taken
# away each part must pass.
#
#   ./bazelw test --config=bite //tests/bite:bite_test --test_output=all
#
# What notices a new site? Tries all parts:
#
#   ./bazelw test --config=bite //tests/bite:bite_test --test_output=all \
#       --test_env=STAVE_SITE=kSealSync
set -uo pipefail

# A part that hangs has noticed, too.
readonly most_seconds=100
readonly parts=(
  crash_test backup_crash_test dictionary_crash_test dictionary_store_test
  fault_test damage_sweep_test model_test history_test
  concurrency_test damage_test misplaced_segment_test recovery_test
  backup_test checkpoint_test expiry_test full_disk_test small_disk_test
  merge_test merged_damage_test staying_segments_test sweep_test log_test
  manifest_test log_fault_test segment_scanner_test segment_set_test
  hint_file_test hint_writer_test reserve_test
  lock_test lock_registry_test posix_sync_test
  snapshot_test snapshot_file_crash_test transaction_history_test
)

# Runs a part, of the long ones a short version.
run_part() {
  export GTEST_FAIL_FAST=1 GTEST_BRIEF=1
  case $1 in
    crash_test)
      export STAVE_SIMULATION_STATES=16000 STAVE_ONE_CRASH_IN=20 ;;
    fault_test)
      export STAVE_SIMULATION_FAULTS=8000 ;;
    damage_sweep_test)
      export STAVE_DAMAGE_SEEDS=1 STAVE_DAMAGE_STRIDE=10 STAVE_DAMAGE_RANDOM=50 ;;
    model_test)
      export STAVE_SEEDS=40 STAVE_OPERATIONS=2000 ;;
    transaction_history_test)
      export STAVE_SEEDS=10 ;;
    concurrency_test)
      export STAVE_ROUNDS=100 ;;
    history_test)
      export STAVE_SEEDS=24 STAVE_OPERATIONS=4000 ;;
  esac
  timeout --signal=KILL "$most_seconds" "$(binary_of "$1")"
}

binary_of() { compgen -G "tests/*/$1" || compgen -G "tests/engine/*/$1"; }

# What tests/README.md names for a site.
part_for() {
  sed -nE "s/^\| \`$1\` \|.*\| \`([a-z_]+)\` \|\$/\1/p" tests/README.md
}

# Whether a part fails without the site; leaves its output behind.
notices() {
  ! STAVE_TAKE_AWAY=$1 run_part "$2" >"$TEST_TMPDIR/$1.$2" 2>&1
}

# Of two readings of $EPOCHREALTIME.
seconds_since() {
  local tenths=$(((${EPOCHREALTIME/./} - ${1/./}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

report() { printf '%-24s %-22s %5.1f s  %s\n' "$1" "$2" "$3" "$4"; }

# check_site SITE WHAT: prints a line of the table; fails if nobody notices.
check_site() {
  local started=$EPOCHREALTIME candidates=("$(part_for "$1")") part caught=nobody
  [[ -z ${STAVE_SITE:-} ]] || candidates=("${parts[@]}")
  if [[ -z ${candidates[0]} ]]; then
    report "$1" 'a known hole' 0 "$2"
    return 0
  fi
  for part in "${candidates[@]}"; do
    if notices "$1" "$part"; then
      caught=$part
      break
    fi
  done
  report "$1" "$caught" "$(seconds_since "$started")" "$2"
  [[ $caught != nobody ]]
}

# Nothing taken away: a part that fails then proves nothing.
check_part() {
  local started=$EPOCHREALTIME status=0
  run_part "$1" >"$TEST_TMPDIR/nothing.$1" 2>&1 || status=1
  ((status == 0)) || tail -n 20 "$TEST_TMPDIR/nothing.$1"
  report 'nothing' "$1" "$(seconds_since "$started")" \
    "$( ((status == 0)) && echo passes || echo FAILS)"
  return "$status"
}

# Does the checks, so many at a time as there are processors.
failures=0
running=0
start() {
  ((running < $(nproc))) || finish_one
  "$@" &
  running=$((running + 1))
}
finish_one() {
  wait -n || failures=$((failures + 1))
  running=$((running - 1))
}

if [[ -z ${STAVE_SITE:-} ]]; then
  for part in "${parts[@]}"; do start check_part "$part"; done
fi
while IFS=$'\t' read -r site what; do
  [[ ${STAVE_SITE:-$site} == "$site" ]] && start check_site "$site" "$what"
done < <(tests/bite/sites)
while ((running > 0)); do finish_one; done
((failures == 0)) || printf '%d went wrong\n' "$failures"
((failures == 0))
