#!/bin/bash
# Runs a unittest in this folder: cli_test.sh NAME_test.py [PROGRAM...]. The test
# runs the programs. Bazel's variables (result file, target, shard, filter) are
# meant for the test, so the programs do not get them.
set -euo pipefail
here=$(dirname "$0")
test=$1
shift
programs=()
for program in "$@"; do
  programs+=("$(realpath -s "$program")")
done
exec env -u TEST_TARGET -u XML_OUTPUT_FILE -u TESTBRIDGE_TEST_ONLY \
  -u TEST_SHARD_INDEX -u TEST_TOTAL_SHARDS -u TEST_SHARD_STATUS_FILE \
  -u TEST_UNDECLARED_OUTPUTS_DIR -u BUILD_WORKING_DIRECTORY \
  python3 -B "$here/$test" "${programs[@]}"
