"""Counts the test cases of one `bazel test`: prints "PASSED FAILED".

    count_tests.py EVENTS STATUS

EVENTS is the file that --build_event_json_file wrote, STATUS the exit code of
Bazel. The test cases are those that test.xml lists. A target that did not build,
a test that ended without reporting which case failed, and a Bazel that failed
without any of these count as one failure each.

Standard error gets the name of each failure, and the end of what that test
printed.
"""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree

LOG_LINES = 60  # Lines to show of a failed test's log; a report has fewer.


def read_events(path):
  try:
    with open(path, encoding="utf-8") as lines:
      return [json.loads(line) for line in lines if line.strip()]
  except (OSError, ValueError):
    return []  # Bazel did not get that far; STATUS says so.


def count_cases(path):
  """How many cases passed, and the names of those that failed, by test.xml."""
  passed, failed = 0, []
  for case in xml.etree.ElementTree.parse(path).iter("testcase"):
    if case.find("failure") is not None or case.find("error") is not None:
      failed.append(f"{case.get('classname')}.{case.get('name')}")
    elif case.find("skipped") is None and case.get("status") != "notrun":
      passed += 1
  return passed, failed


def output_path(result, name):
  """Where one run of one test left its file `name`; None if it left none."""
  for output in result.get("testActionOutput", []):
    if output["name"] == name:
      path = urllib.parse.urlparse(output["uri"]).path
      return urllib.request.url2pathname(path)
  return None


def count_result(result):
  """The same as count_cases, for one run of one test (one shard, one attempt).

  A run that failed without naming a case has one failure, named by its status.
  """
  passed, failed = 0, []
  path = output_path(result, "test.xml")
  if path:
    try:
      passed, failed = count_cases(path)
    except (OSError, xml.etree.ElementTree.ParseError):
      pass
  if result.get("status") != "PASSED" and not failed:
    failed = [result.get("status", "no status")]
  return passed, failed


def tell_failure(label, failed, log):
  """Writes to standard error what failed in one run, and the end of its log."""
  print(f"--- {label}: {', '.join(failed)}", file=sys.stderr)
  try:
    with open(log or "", encoding="utf-8", errors="replace") as lines:
      print("".join(lines.readlines()[-LOG_LINES:]), file=sys.stderr)
  except OSError as error:
    print(f"(no log: {error})", file=sys.stderr)


def main(events_path, status):
  tests = set()  # Labels of the tests that were to be run.
  results = {}  # The last attempt at each (label, run, shard).
  unbuilt = set()
  for event in read_events(events_path):
    id = event["id"]
    if "targetConfigured" in id:
      if "testSize" in event.get("configured", {}):
        tests.add(id["targetConfigured"]["label"])
    elif "targetCompleted" in id:
      if not event.get("completed", {}).get("success"):
        unbuilt.add(id["targetCompleted"]["label"])
    elif "testResult" in id and "testResult" in event:
      key = id["testResult"]
      key = key["label"], key.get("run", 1), key.get("shard", 1)
      results[key] = event["testResult"]

  unbuilt |= tests - {label for label, _, _ in results}
  unbuilt -= {label for label, _, _ in results}  # Failed, but built.
  passed, failed = 0, len(unbuilt)
  for label in sorted(unbuilt):
    print(f"--- {label}: not built", file=sys.stderr)
  for (label, run, shard), result in results.items():
    cases = count_result(result)
    passed += cases[0]
    failed += len(cases[1])
    if cases[1]:
      tell_failure(f"{label} (run {run}, shard {shard})", cases[1],
                   output_path(result, "test.log"))
  if status != 0 and not failed:
    failed = 1
    print(f"--- Bazel ended with {status}", file=sys.stderr)
  print(passed, failed)


if __name__ == "__main__":
  main(sys.argv[1], int(sys.argv[2]))
