#!/usr/bin/env bash
# Holds README.md to the tree: the paths of its table exist, its example is
# the one that readme_example.cc compiles, its awk line writes what load
# reads, and its test command is the one that CI runs.
set -euo pipefail

# Bazel hands over links to the real files; the tree is where they lie.
root=$(dirname "$(readlink -f README.md)")
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# The paths in the table of the README given, one a line.
table_paths() {
  sed -n '/^## Where is/,/^## /p' "$1" | grep '^|' | cut -d'|' -f3 |
    grep -o '`[^`]*`' | tr -d '`'
}

# Those paths of the README given that the tree does not have.
missing_paths() {
  local path
  table_paths "$1" | while read -r path; do
    [[ -e $root/$path ]] || printf '%s\n' "$path"
  done
}

readme_example() { sed -n '/^```cpp$/,/^```$/p' "$1" | sed '1d;$d'; }

compiled_example() {
  sed -n '/^\/\/ README example begins/,/^\/\/ README example ends/p' "$1" |
    sed '1d;$d'
}

# The awk program between single quotes in the README's line.
awk_program() {
  sed -n "s/.* awk .*OFS='\\\\t' '\\([^']*\\)' .*/\\1/p" "$1"
}

test_paths_exist() {
  local count missing
  count=$(table_paths "$root/README.md" | wc -l)
  ((count >= 10)) || fail "the table names only $count paths"
  missing=$(missing_paths "$root/README.md")
  [[ -z $missing ]] || fail "README.md names what is not there:" "${missing//$'\n'/ }"
}

test_a_wrong_path_is_found() {
  local wrong=$TEST_TMPDIR/README.md
  sed 's|`engine/FORMAT.md`|`engine/NOT_THERE.md`|' "$root/README.md" >"$wrong"
  [[ $(missing_paths "$wrong") == *engine/NOT_THERE.md* ]] ||
    fail "a path that does not exist went unnoticed"
}

test_example_is_compiled() {
  [[ $(readme_example "$root/README.md" | wc -l) -gt 3 ]] ||
    fail "README.md has no example"
  diff <(readme_example "$root/README.md") \
    <(compiled_example "$root/tests/readme_example.cc") ||
    fail "README.md's example is not the one of tests/readme_example.cc"
}

test_awk_line_escapes() {
  local program written expected
  program=$(awk_program "$root/README.md")
  [[ -n $program ]] || fail "README.md has no awk line"
  written=$(printf 'Package: a\nX: \\n\ty\n .\n\nPackage: b\nX: \\\\\n' |
    awk -v RS= -v OFS='\t' "$program")
  expected=$(printf '%s\t%s\n' \
    a 'Package: a\nX: \\n\ty\n .' \
    b 'Package: b\nX: \\\\')
  [[ $written == "$expected" ]] ||
    fail "the awk line wrote: $written" $'\n' "expected: $expected"
}

test_ci_runs_the_test_command() {
  local command
  command=$(grep -o '\./bazelw test .*' "$root/README.md" | head -n 1)
  [[ -n $command ]] || fail "README.md has no test command"
  grep -qF -- "$command" "$root/.ci/run" ||
    fail ".ci/run does not call README.md's test command: $command"
}

for test in $(compgen -A function test_); do "$test"; done
((failures == 0))
