#!/bin/bash
# Runs check_docs.py from the root of the runfiles, with a clean environment for
# the programs that it runs.
set -euo pipefail
# (Theirs, not those of this test: a result file, a target, a filter.)
exec env -u TEST_TARGET -u XML_OUTPUT_FILE -u TESTBRIDGE_TEST_ONLY python3 "$@"
