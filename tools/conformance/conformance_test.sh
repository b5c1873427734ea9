#!/bin/bash
# Runs the programs whose traces are stored, and compares. The interpreter is
# the argument.
set -euo pipefail
exec python3 "$(dirname "$0")/compare.py" -- "$PWD/$1"
