#!/bin/bash
# Runs check_docs.py from the root of the runfiles, with a clean environment for
# the programs that it runs.
set -euo pipefail
# (The result file, target and filter of this test are not for the programs.)
exec env -u TEST_TARGET -u XML_OUTPUT_FILE -u TESTBRIDGE_TEST_ONLY python3 "$@"
