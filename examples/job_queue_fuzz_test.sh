#!/bin/bash
# libFuzzer finds the race in JobQueue from no input at all, and what it finds is
# an ordinary schedule.

set -uo pipefail

target=$PWD/$1
# It is run as a person does, not as a test; what it reports is not our result.
unset TEST_TARGET TEST_UNDECLARED_OUTPUTS_DIR XML_OUTPUT_FILE
cd "$TEST_TMPDIR" || exit 1
mkdir corpus

fail() {
  echo "$1"
  exit 1
}

# It finds it after some dozens of inputs.
"$target" --clotho_test=JobQueueTest.NoJobIsLost -seed=1 -runs=1000000 \
  corpus >found.txt 2>&1 && fail "nothing was found"
cat found.txt
grep -q 'WHAT      Always "a woken worker finds a job" is false' found.txt ||
  fail "it is not the race"
grep -q '^\[FATAL:examples/job_queue.cc([0-9]*)\] Check failed: always ' \
  found.txt || fail "no line to tell crashes apart by"

# The input fails again.
"$target" --clotho_test=JobQueueTest.NoJobIsLost crash-* >again.txt 2>&1 &&
  fail "the input does not fail"

# So does the schedule, in which one deviation is left.
replay=$(sed -n 's/^REPLAY .*CLOTHO_REPLAY=\([^ ]*\).*/\1/p' again.txt)
[[ $replay == c1/0/4:1/* ]] || fail "not the shortest schedule: $replay"
CLOTHO_REPLAY=$replay "$target" >replay.txt 2>&1
[[ $? == 1 ]] || fail "the schedule does not fail"
grep -q "REPLAY .*$replay" replay.txt || fail "it is another schedule"
