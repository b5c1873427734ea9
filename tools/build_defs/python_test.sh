#!/bin/bash
# Runs the unittest that the argument names: a file beside this one.
set -euo pipefail
exec python3 "$(dirname "$0")/$1"
