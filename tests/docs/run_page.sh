#!/usr/bin/env bash
# Runs what a page of docs/ shows, in an empty folder, with stave on the PATH:
#
#   tests/docs/run_page.sh PAGE
#
# By the word behind the three backticks of a block, all blocks of a page one
# after another in one shell:
#
#   sh            commands, which must succeed
#   console       commands behind '$ ' (and '> ', where they go on), and what
#                 they print; '...' there stands for anything
#   sh installed  the same as sh, where //:install has been: STAVE_INSTALLED is
#                 its PREFIX. Else they are left out
#   sh tree       commands in stave's tree, by Bazel: CI must name their targets
#   c FILE, cpp FILE  a file, which is put there
#   cpp           a part of a program: tests/docs/BUILD.bazel compiles it
#   text          nothing of the kind
set -uo pipefail

page=$(realpath "$1") || exit
ci=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../.ci/run") || exit
# Where a Bazel test finds it.
[[ ! -x tools/stave/stave ]] || PATH=$PWD/tools/stave:$PATH
command -v stave >/dev/null || { echo "FAIL: no stave on the PATH"; exit 1; }
folder=$(mktemp -d) || exit
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit
export HOME=$folder
unset STAVE_STORE XDG_DATA_HOME
failures=0
commands=0

fail() {
  printf 'FAIL: %s:%d: %s\n' "${page##*/}" "$number" "$1"
  failures=$((failures + 1))
}

# Runs the command, in this shell; what it prints is then in `printed`.
run() {
  commands=$((commands + 1))
  eval "$1" >"$folder/.printed" 2>&1 </dev/null
  local status=$?
  printed=$(<"$folder/.printed")
  return "$status"
}

# The lines of a block; one that ends with a backslash goes on.
run_sh() {
  local line command=
  while IFS= read -r line; do
    command+=$line$'\n'
    [[ $line != *\\ ]] || continue
    run "$command" || fail "'$command' exits with $?: $printed"
    command=
  done <<<"${1%$'\n'}"
}

# One command of a console block, and what it should print.
run_console() {
  [[ -n $1 ]] || return
  local expected
  expected=$(sed 's/[][\\*?]/\\&/g; s/\.\.\./*/g' <<<"${2%$'\n'}")
  run "$1"
  # shellcheck disable=SC2053
  [[ $printed == $expected ]] ||
    fail "'$1' prints:"$'\n'"$printed"$'\n'"instead of:"$'\n'"${2%$'\n'}"
}

run_block() { # run_block KIND TEXT
  local line command='' expected='' target
  case $1 in
    sh) run_sh "$2" ;;
    'sh installed') [[ -z ${STAVE_INSTALLED:-} ]] || run_sh "$2" ;;
    'sh tree')
      for target in $(grep -o '//[a-z:/.]*' <<<"$2"); do
        grep -qF -- "$target" "$ci" || fail "CI does not know $target"
      done
      ;;
    'c '* | 'cpp '*) printf '%s' "$2" >"${1#* }" ;;
    console)
      while IFS= read -r line; do
        case $line in
          '$ '*)
            run_console "$command" "$expected"
            command=${line#'$ '} expected=
            ;;
          '> '*) command+=$'\n'${line#'> '} ;;
          *) expected+=$line$'\n' ;;
        esac
      done <<<"${2%$'\n'}"
      run_console "$command" "$expected"
      ;;
    cpp | text) ;;
    *) fail "what is a block of '$1'?" ;;
  esac
}

number=0
kind=
text=
while IFS= read -r line; do
  number=$((number + 1))
  if [[ -z $kind && $line == '```'?* ]]; then
    kind=${line#'```'} text=
  elif [[ $line == '```' ]]; then
    [[ -n $kind ]] || fail 'a block without a kind'
    run_block "$kind" "$text"
    kind=
  elif [[ -n $kind ]]; then
    text+=$line$'\n'
  fi
done <"$page"
[[ -z $kind ]] || fail 'the last block has no end'
printf '%s: %d commands, %d failed\n' "${page##*/}" "$commands" "$failures"
((failures == 0))
