#!/bin/bash
# Each program of compile_fail/ gives the diagnostic that its first line
# expects, and compiles without the line that is wrong.

set -uo pipefail

compiler=${CLANG:-clang++-19}
command -v "$compiler" >/dev/null || compiler=clang++
root=$PWD
# Includes begin with the name of the project.
mkdir -p "${TEST_TMPDIR:?}/include"
ln -sfn "$root" "$TEST_TMPDIR/include/clotho"
absl=${ABSL_INCLUDE:-}
for folder in "$root"/external/com_google_absl ../com_google_absl; do
  [[ -d $folder/absl ]] && absl=$folder
done

failures=0
fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

compile() {
  "$compiler" -std=c++20 -fsyntax-only -Wall -Wextra -Werror \
    -I"$TEST_TMPDIR/include" ${absl:+-isystem "$absl"} \
    -include clotho/runtime/check_lifetimes.h "$@"
}

programs=0
for program in runtime/compile_fail/*.cc; do
  programs=$((programs + 1))
  expected=$(sed -n '1s/^\/\/ expected: //p' "$program")
  [[ -n $expected ]] || fail "$program: the first line expects nothing"
  compile -DCLOTHO_GOOD "$program" >"$TEST_TMPDIR/good.txt" 2>&1 || {
    fail "$program: does not compile without its bad line"
    cat "$TEST_TMPDIR/good.txt"
  }
  compile "$program" >"$TEST_TMPDIR/bad.txt" 2>&1 &&
    fail "$program: compiles with its bad line"
  grep -qF "$expected" "$TEST_TMPDIR/bad.txt" || {
    fail "$program: says something else than: $expected"
    cat "$TEST_TMPDIR/bad.txt"
  }
done
((programs > 0)) || fail "no programs"
((failures == 0))
