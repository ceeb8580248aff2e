#!/usr/bin/env bash
# Where //:install puts its files, and what it refuses. That they are of use,
# check_install.sh tells, which CI calls.
set -uo pipefail

failures=0
fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# As Bazel calls it, for a user who stands in $TEST_TMPDIR.
installed() { BUILD_WORKING_DIRECTORY=$TEST_TMPDIR install/install "$@" 2>&1; }

# refuses CODE MESSAGE ARGUMENTS...
refuses() {
  local code=$1 message=$2 said
  shift 2
  said=$(installed "$@")
  [[ $? == "$code" && $said == *"$message"* ]] || fail "'$*' says: $said"
}

test_a_relative_prefix_counts_from_the_user() {
  local said
  said=$(installed here) || fail "$said"
  [[ $said == "Installed stave "*" to $TEST_TMPDIR/here" ]] || fail "$said"
  cmp tools/stave/stave "$TEST_TMPDIR/here/bin/stave" || fail 'no program'
  grep -qxF "prefix=$TEST_TMPDIR/here" \
    "$TEST_TMPDIR/here/lib/pkgconfig/stave.pc" || fail 'a wrong prefix'
  [[ $(cd "$TEST_TMPDIR/here" && find . -type f ! -perm -444) == '' ]] ||
    fail 'not everybody may read everything'
}

test_a_second_time_replaces_the_files() {
  installed twice >/dev/null && installed twice >/dev/null || fail 'twice'
}

test_destdir_stands_before_the_prefix() {
  DESTDIR=package installed /usr >/dev/null || fail 'DESTDIR'
  grep -qx 'prefix=/usr' "$TEST_TMPDIR/package/usr/lib/pkgconfig/stave-c.pc" ||
    fail 'pkg-config is told of DESTDIR'
}

test_a_prefix_with_spaces() {
  installed 'two words' >/dev/null || fail 'two words'
  grep -qxF "prefix=${TEST_TMPDIR}/two\\ words" \
    "$TEST_TMPDIR/two words/lib/pkgconfig/stave.pc" || fail 'a space is bare'
}

test_wrong_usage() {
  refuses 2 '//:install -- PREFIX'
  refuses 2 '//:install -- PREFIX' ''
  refuses 2 '//:install -- PREFIX' --prefix=/usr
  refuses 2 '//:install -- PREFIX' a b
  refuses 2 "can't bear such a PREFIX" 'a|b'
}

test_what_stands_in_the_way_is_named() {
  touch "$TEST_TMPDIR/file"
  refuses 5 "$TEST_TMPDIR/file/x is not complete" file/x
}

for test in $(compgen -A function test_); do "$test"; done
((failures == 0))
