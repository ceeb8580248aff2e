#!/usr/bin/env bash
# Uses what //:install has installed in PREFIX as one does who has no Bazel:
#
#   tests/install/check_install.sh PREFIX
#
# Needs g++, gcc and pkg-config. CI calls it; it is no Bazel test, since it is
# about what lies outside of Bazel's folders.
set -uo pipefail

prefix=$(realpath "$1") || exit
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit
scratch=$(mktemp -d) || exit
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# counts_visits PROGRAM: it finds what it has stored.
counts_visits() {
  local store
  store=$(mktemp -d)
  [[ $("$1" "$store") == 'visit 1' && $("$1" "$store") == 'visit 2' ]] ||
    fail "$1 counts no visits"
}

test_all_files_are_there() {
  local file
  for file in bin/stave include/stave/{store,c}.h lib/libstave.{a,so} \
    lib/pkgconfig/stave{,-c}.pc share/man/man1/stave.1 \
    share/bash-completion/completions/stave \
    share/zsh/site-functions/_stave \
    share/fish/vendor_completions.d/stave.fish; do
    [[ -s $prefix/$file ]] || fail "$file is not there"
  done
}

test_the_program_works() {
  export STAVE_STORE=$scratch/store
  "$prefix/bin/stave" put greeting hello &&
    [[ $("$prefix/bin/stave" get greeting) == hello ]] || fail 'no hello'
  [[ $("$prefix/bin/stave" --version) == \
    "stave $(pkg-config --modversion stave)" ]] ||
    fail 'pkg-config tells another version'
}

test_cpp_links() {
  # As one would who knows only g++ and pkg-config.
  # shellcheck disable=SC2046
  g++ -std=c++20 "$root/examples/embed/embed.cc" \
    $(pkg-config --cflags --libs stave) -o embed &&
    counts_visits ./embed || fail 'no C++ program'
}

test_every_object_links() {
  printf 'int main() {}\n' >empty.cc
  # shellcheck disable=SC2046
  g++ empty.cc -Wl,--whole-archive "$prefix/lib/libstave.a" \
    -Wl,--no-whole-archive -o all \
    $(pkg-config --libs stave | sed 's/-l:libstave.a//') ||
    fail 'stave.pc lacks a library that libstave.a needs'
}

test_all_headers_compile() {
  local header
  for header in "$prefix"/include/stave/*.h; do
    printf '#include "stave/%s"\n' "${header##*/}"
  done >headers.cc
  # shellcheck disable=SC2046
  g++ -std=c++20 -fsyntax-only -Wall -Wextra -Werror headers.cc \
    $(pkg-config --cflags stave) || fail 'the headers do not compile'
}

test_c_links() {
  local package
  for package in stave stave-c; do
    # shellcheck disable=SC2046
    gcc -std=c99 -Wall -Werror "$root/examples/plain/visits.c" \
      $(pkg-config --cflags --libs "$package") -o "visits-$package" &&
      LD_LIBRARY_PATH=$prefix/lib counts_visits "./visits-$package" ||
      fail "no C program with $package"
  done
}

test_bash_loads_the_completion() {
  bash -c "source '$prefix/share/bash-completion/completions/stave' &&
    complete -p stave" >/dev/null || fail 'no completion for bash'
}

test_what_docs_say_of_it() {
  PATH=$prefix/bin:$PATH STAVE_INSTALLED=$prefix \
    "$root/tests/docs/run_page.sh" "$root/docs/embedding.md" || fail 'docs'
}

for test in $(compgen -A function test_); do "$test"; done
((failures == 0))
