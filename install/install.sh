#!/usr/bin/env bash
# Installs the program, the headers, the libraries, their pkg-config files, the
# manual page and the shells' completions:
#
#   ./bazelw run -c opt //:install -- PREFIX
#
# A relative PREFIX counts from where that was typed. With DESTDIR in the
# environment the files go below it, as packagers need it, and still say
# PREFIX. Files that are there are replaced.
set -euo pipefail

fail() {
  printf 'install: %s\n' "$2" >&2
  exit "$1"
}

[[ $# == 1 && -n $1 && $1 != -* ]] ||
  fail 2 'say where to, and no more: ./bazelw run -c opt //:install -- PREFIX'

# Bazel runs this in the folder of what is to be installed.
absolute() { (cd "${BUILD_WORKING_DIRECTORY:-$PWD}" && realpath -ms -- "$1"); }
prefix=$(absolute "$1")
[[ $prefix != *[$'\n|&\\']* ]] ||
  fail 2 "pkg-config can't bear such a PREFIX: $prefix"
to=${DESTDIR:+$(absolute "$DESTDIR")}$prefix

put() { # put MODE FILE PLACE
  install -D -m "$1" -- "$2" "$to/$3" ||
    fail 5 "$to is not complete: see above what stood in the way"
}
put_text() { # put_text PLACE, and the text from standard input
  cat >"$scratch/text"
  put 644 "$scratch/text" "$1"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
program=tools/stave/stave
version=$("$program" --version)

put_pkg_config() { # put_pkg_config NAME
  sed "s|@PREFIX@|${prefix// /\\\\ }|; s|@VERSION@|${version#stave }|" \
    "install/$1.pc.in" | put_text "lib/pkgconfig/$1.pc"
}

put 755 "$program" bin/stave
"$program" help --man | put_text share/man/man1/stave.1
"$program" completion bash | put_text share/bash-completion/completions/stave
"$program" completion zsh | put_text share/zsh/site-functions/_stave
"$program" completion fish | put_text share/fish/vendor_completions.d/stave.fish

put 644 engine/include/stave/c.h include/stave/c.h
put 755 engine/c/libstave.so lib/libstave.so
put_pkg_config stave-c

if [[ $(<install/objects.origin) == built ]]; then
  # C++ needs Abseil's headers and libraries of the very same build.
  printf 'install: %s\n' >&2 \
    'the C++ headers and libstave.a are left out: this Bazel has built' \
    'its own Abseil, which programs built without it have not: depend on' \
    '@stave//engine with Bazel, or install with the Bazel of Debian.'
else
  for header in engine/include/stave/*.h; do
    put 644 "$header" "include/stave/${header##*/}"
  done
  put 644 install/libstave.a lib/libstave.a
  put_pkg_config stave
fi
printf 'Installed %s to %s\n' "$version" "$to"
