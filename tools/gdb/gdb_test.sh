#!/bin/bash
# Runs gdb_test.py on the program that the first argument names.
set -euo pipefail
exec env -u TEST_TARGET python3 "$(dirname "$0")/gdb_test.py" "$@"
