#!/bin/bash
# Runs the unittest that the argument names: a file in the package of the test.
set -euo pipefail
exec python3 "$(dirname "$0")/$1"
