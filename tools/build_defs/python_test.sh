#!/bin/bash
# Runs the unittest given as the argument: a file in the package of the test.
set -euo pipefail
exec python3 "$(dirname "$0")/$1"
