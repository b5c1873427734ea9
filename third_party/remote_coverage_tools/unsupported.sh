#!/bin/sh
echo "bazel coverage is not supported in this workspace: the stub of" \
  "@remote_coverage_tools has no report generator" >&2
exit 1
