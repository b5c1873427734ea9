#!/bin/bash
# Compiles each header by itself, unless a source file has its name: that file
# includes it before anything else. (`tools/bazel test //...` parses every header,
# which takes much longer. The example of another project has its own include
# path.)

set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
include=$(mktemp -d)
trap 'rm -rf "$include"' EXIT
# A header `runtime/task.h` is "clotho/runtime/task.h".
ln -s "$PWD" "$include/clotho"

git ls-files '*.h' ':!examples/in_your_project' | while read -r header; do
  name=${header%.h}
  [[ -e $name.cc || -e ${name}_test.cc ]] || echo "$header"
done | xargs -d '\n' -P "$(nproc)" -n 1 \
  clang-19 -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I "$include" \
  -x c++
