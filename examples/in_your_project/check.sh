#!/bin/bash
# Checks that the projects beside this file work outside of the checkout, with no
# other file of it than those that a user would have.
#
#   examples/in_your_project/check.sh cmake   # About five minutes; .ci/run runs it.
#   examples/in_your_project/check.sh bazel   # About ten: Bazel compiles Clotho again.
#
# CXX is the compiler for CMake (default: clang++-19), JOBS how many files to
# compile at a time (default: 2). Exits with 1 and a sentence at the first thing
# that is wrong.

set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d -t clotho-consumer.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
project=$scratch/project
log=$scratch/log
jobs=${JOBS:-2}

say() { echo "check.sh: $* (after $SECONDS s)"; }

wrong() {
  echo "check.sh: $*" >&2
  exit 1
}

# must WHAT COMMAND...: the command succeeds; its output is in $log.
must() {
  local what=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    wrong "$what: \`$*\` failed, as shown above."
  fi
}

# shows WHAT TEXT: the last output has the text.
shows() {
  if ! grep -qF -- "$2" "$log"; then
    cat "$log" >&2
    wrong "$1: the output above should have \"$2\"."
  fi
}

# fails WHAT COMMAND...: the command exits with 1; its output is in $log.
fails() {
  local what=$1 status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 1)); then
    tail -n 40 "$log" >&2
    wrong "$what: \`$*\` exited with $status, but should fail with 1."
  fi
}

race='"a woken worker finds a job" is false'

# The hunt fails, and the line that it prints fails in the same way.
check_hunt() {
  local what=$1 hunt=$2 line
  fails "$what: the hunt" "$hunt"
  shows "$what: the hunt" "$race"
  shows "$what: the hunt" "REPLAY    CLOTHO_REPLAY=c1/"
  line=$(sed -n -e '/^REPLAY /{s/^REPLAY *//; :more; /\\$/{N; s/\\\n *//; b more}; p; q}' \
    "$log")
  fails "$what: the pasted line" bash -c "$line"
  shows "$what: the pasted line" "$race"
}

# check_tests WHAT BUILD: the programs of a build, by themselves and with CTest.
check_tests() {
  local what=$1 build=$2
  must "$what: hello_test" "$build/hello_test"
  must "$what: job_queue_test" "$build/job_queue_test"
  shows "$what: job_queue_test" "1 saved schedule"
  check_hunt "$what" "$build/job_queue_hunt"
  must "$what: ctest -R" ctest --test-dir "$build" -R Hello --no-tests=error
  must "$what: ctest -L" ctest --test-dir "$build" -L fast --no-tests=error \
    --output-junit "$scratch/junit.xml" --verbose
  shows "$what: ctest -L" "FixedJobQueueTest.LosesNoJob"
  shows "$what: ctest -L" "1 saved schedule"
  grep -q 'name="FixedJobQueueTest.LosesNoJob"' "$scratch/junit.xml" ||
    wrong "$what: --output-junit does not name the test."
  local status=0
  ctest --test-dir "$build" -L hunt --output-on-failure >"$log" 2>&1 || status=$?
  ((status == 8)) ||
    wrong "$what: ctest -L hunt exited with $status, but should fail with 8."
  shows "$what: ctest -L hunt" "REPLAY    CLOTHO_REPLAY=c1/"
}

configure() {
  must "configuring $1" cmake -S "$project" -B "${@:2}" -G Ninja \
    -DCMAKE_CXX_COMPILER="${CXX:-clang++-19}" -DCMAKE_CXX_FLAGS=-O0 \
    -DCMAKE_BUILD_TYPE=
}

# Precompiled headers, which halve the time to compile Clotho. Users do not need
# them.
write_speed_up() {
  cat >"$scratch/speed_up.cmake" <<'END'
function(clotho_speed_up)
  foreach(name runtime sim testing properties)
    target_precompile_headers(clotho_${name} PRIVATE
      <algorithm> <optional> <string> <vector>
      <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/time/time.h>
      <clotho/runtime/runtime.h>)
  endforeach()
endfunction()
cmake_language(DEFER CALL clotho_speed_up)
END
}

check_cmake() {
  local build=$scratch/build installed=$scratch/installed shared
  write_speed_up
  # The objects are position-independent, so that those of the static libraries
  # make the shared ones, too.
  for shared in OFF ON; do
    local kind=static prefix=$scratch/prefix-$shared
    [[ $shared == OFF ]] || kind=shared
    configure "$kind libraries" "$build" -DCLOTHO_SOURCE="$checkout" \
      -DCLOTHO_INSTALL=ON -DBUILD_SHARED_LIBS=$shared \
      -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
      -DCMAKE_PROJECT_clotho_INCLUDE="$scratch/speed_up.cmake"
    must "building with add_subdirectory" cmake --build "$build" -j "$jobs"
    check_tests "add_subdirectory, $kind" "$build"
    say "add_subdirectory works with $kind libraries"

    must "installing" cmake --install "$build" --prefix "$prefix"
    # What follows must not need the build.
    mv "$build/clotho" "$scratch/hidden"
    configure "find_package" "$installed-$shared" -DCMAKE_PREFIX_PATH="$prefix"
    must "building with find_package" \
      cmake --build "$installed-$shared" -j "$jobs"
    check_tests "find_package, $kind" "$installed-$shared"
    say "find_package works with $kind libraries"
    check_pkg_config "$prefix" "$kind"
    mv "$scratch/hidden" "$build/clotho"
  done
  check_program "$scratch/prefix-OFF/bin/clotho" "$installed-OFF"

  # The libraries are the same again: only one file is compiled.
  configure "FetchContent" "$scratch/fetched" -DCLOTHO_GIT="$checkout" \
    -DFETCHCONTENT_SOURCE_DIR_CLOTHO="$checkout"
  must "building with FetchContent" ninja -C "$scratch/fetched" \
    CMakeFiles/hello_test.dir/hello_test.cc.o
  say "FetchContent works"
}

check_pkg_config() {
  local lib flags
  type -P pkg-config >/dev/null || return 0
  lib=$(dirname "$(find "$1" -name pkgconfig)")
  flags=$(PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --cflags --libs \
    clotho-testing) || wrong "pkg-config does not know clotho-testing."
  # The flags are words.
  # shellcheck disable=SC2086
  must "pkg-config, $2" "${CXX:-clang++-19}" -std=c++20 "$project/hello_test.cc" \
    $flags -Wl,-rpath,"$lib" -o "$scratch/hello"
  must "pkg-config, $2: the program" "$scratch/hello"
  say "pkg-config works with $2 libraries"
}

# The installed `clotho`, with a path and with a test of CTest.
check_program() {
  local program=$1 build=$2 version
  version=$(<"$checkout/VERSION")
  must "the installed clotho" "$program" --version
  shows "the installed clotho" "clotho $version"
  cd "$build"
  must "clotho list PATH" "$program" list ./job_queue_test
  shows "clotho list PATH" "1 saved"
  fails "clotho replay PATH" "$program" replay c1/0/4:1 ./job_queue_hunt
  shows "clotho replay PATH" "$race"
  must "clotho show" "$program" show
  shows "clotho show" "worker-1"
  fails "clotho replay TEST" "$program" replay c1/0/4:1 JobQueueTest.NoJobIsLost
  shows "clotho replay TEST" "$race"
  must "clotho saved TEST" "$program" saved --check FixedJobQueueTest.LosesNoJob
  shows "clotho saved TEST" "passes"
  cd - >/dev/null
  say "the installed clotho works"
}

check_bazel() {
  local bazel=(bazel --output_user_root="$scratch/bazel")
  local options=(--override_repository=clotho="$checkout" --color=no --curses=no
    --jobs="$jobs" --disk_cache="${DISK_CACHE:-}")
  type -P bazel >/dev/null ||
    wrong "there is no bazel on PATH: run tools/bazel once."
  cd "$project"
  # (Its folders are read-only.)
  trap 'bazel --output_user_root="$scratch/bazel" shutdown
    chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
  must "bazel test" "${bazel[@]}" test "${options[@]}" //...
  say "the tests pass"
  must "bazel build" "${bazel[@]}" build "${options[@]}" //:all
  # The saved schedule is among the inputs of the test.
  must "job_queue_test" "${bazel[@]}" test "${options[@]}" --test_output=all \
    //:job_queue_test
  shows "job_queue_test" "1 saved schedule"
  check_hunt "bazel" bazel-bin/job_queue_hunt
  say "the hunt and its replay fail as they should"
}

case ${1:-} in
  cmake | bazel)
    cp -RL "$checkout/examples/in_your_project/$1" "$project"
    "check_$1"
    say "all of $1 works"
    ;;
  *) wrong "expected the argument cmake or bazel." ;;
esac
