#!/usr/bin/env bash
# Lets bash complete command lines with what `stave completion bash` prints.
# The scripts for zsh and fish, and the manual page, are read by these shells
# and by groff where the machine has them; what they must contain is compared
# with the help.
set -uo pipefail

stave=tools/stave/stave
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# What bash offers at the end of the words given, one a line. `default` and
# `dirnames` stand for readline's own completion of files and directories.
completed() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  compopt() { asked_of_readline=$2; }
  local asked_of_readline=
  _stave
  printf '%s\n' $asked_of_readline ${COMPREPLY[@]+"${COMPREPLY[@]}"}
}

# expect OFFER WORDS...: the words of the offer, in their order.
expect() {
  local offer=$1 got
  shift
  got=$(completed "$@" | tr '\n' ' ')
  [[ ${got% } == "$offer" ]] || fail "'$*' completes to '$got', not '$offer'"
}

# The commands, and the flags of a command or of all, as help lists them.
commands() {
  $stave help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}
flags() { $stave help "$@" | sed -n 's/^  \(--[a-z-]*\).*/\1/p'; }

test_bash_completes_commands() {
  expect 'scan' stave sc
  expect 'delete dump' stave d
  expect 'shell' stave --store /tmp she
  expect 'shell' stave --json --store = /tmp she
  expect 'count completion' stave help co
  expect '' stave get ke
}

test_bash_completes_flags_of_the_command() {
  expect '--raw' stave get --ra
  expect '--read-only --raw' stave get k --r
  expect '--read-only' stave put --r
  expect '--add' stave --store /tmp snapshot load f --a
}

test_bash_completes_values() {
  expect 'tsv jsonl' stave load --format ''
  expect 'json' stave snapshot --format j
  expect 'binary binary-v1' stave snapshot save f --format = b
  expect 'hash ordered' stave keys --keydir =
  expect 'zstd' stave --compression z
  expect 'save load' stave snapshot ''
  expect 'bash zsh fish' stave completion ''
  expect '' stave put k v --ttl 1
}

test_bash_completes_files() {
  expect 'default' stave load ''
  expect 'default' stave snapshot load da
  expect 'default' stave load --sync --batch 10 da
  expect 'dirnames' stave --store ''
  expect 'dirnames' stave get --store = /t
  expect 'dirnames' stave restore from t
  expect 'dirnames' stave fsck --repair ''
  expect '' stave snapshot save f ''
}

# Types into an interactive bash, as a user does.
test_bash_completes_at_a_touch_of_tab() {
  local typed=$'PATH=tools/stave:$PATH\nsource <(stave completion bash)\n'
  typed+=$'stave he\t--ma\t\nexit\n'
  [[ $(bash --norc --noprofile -i <<<"$typed" 2>&1) == *'.TH STAVE 1'* ]] ||
    fail 'Tab completed nothing in an interactive bash'
}

test_all_commands_and_flags_are_in_all_scripts() {
  local shell script command flag
  for shell in bash zsh fish; do
    script=$($stave completion "$shell")
    for command in $(commands); do
      grep -qwF -- "$command" <<<"$script" || fail "$shell lacks $command"
      for flag in $(flags "$command") $(flags); do
        [[ $shell != fish ]] || flag="-l ${flag#--}"
        grep -qF -- "$flag" <<<"$script" || fail "$shell lacks $command $flag"
      done
    done
  done
}

test_shells_that_are_there_can_read_their_scripts() {
  local shell
  for shell in bash zsh fish; do
    command -v "$shell" >/dev/null || continue
    "$shell" -n <($stave completion "$shell") || fail "$shell: syntax error"
  done
}

test_an_unknown_shell_is_refused() {
  local said
  said=$($stave completion tcsh 2>&1)
  [[ $? == 2 && $said == *"bash, zsh and fish, not for 'tcsh'"* ]] ||
    fail "completion tcsh: $said"
}

test_the_manual_page_has_all_commands_and_flags() {
  local page command flag
  page=$($stave help --man)
  [[ $page == *'.TH STAVE 1 '*'.SH NAME'*'.SH SYNOPSIS'*'.SH COMMANDS'* ]] ||
    fail 'the manual page lacks a section'
  for command in $(commands); do
    grep -qx "[.]SS $command" <<<"$page" || fail "man lacks $command"
    for flag in $(flags "$command") $(flags); do
      grep -qF -- "\\fB${flag//-/\\-}" <<<"$page" || fail "man lacks $flag"
    done
  done
}

test_troff_takes_the_manual_page_without_a_warning() {
  local said
  if command -v groff >/dev/null; then
    said=$($stave help --man | groff -man -ww -Tutf8 2>&1 >/dev/null)
    [[ -z $said ]] || fail "groff: $said"
  fi
  if command -v mandoc >/dev/null; then
    said=$($stave help --man | mandoc -Tlint -Wwarning | grep -v 'missing date')
    [[ -z $said ]] || fail "mandoc: $said"
  fi
}

test_the_manual_page_is_of_all_commands() {
  local said
  said=$($stave help get --man 2>&1)
  [[ $? == 2 && $said == *'--man takes no COMMAND'* ]] || fail "$said"
}

source <($stave completion bash)
for test in $(compgen -A function test_); do "$test"; done
((failures == 0))
