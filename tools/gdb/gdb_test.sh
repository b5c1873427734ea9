#!/bin/bash
# Runs gdb_test.py on the program given as the first argument.
set -euo pipefail
exec env -u TEST_TARGET python3 "$(dirname "$0")/gdb_test.py" "$@"
