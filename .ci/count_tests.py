"""Counts the test cases of one `bazel test`: prints "PASSED FAILED".

    count_tests.py EVENTS STATUS

EVENTS is what --build_event_json_file wrote, STATUS the code that Bazel ended
with. A test case is one of GoogleTest's, as test.xml lists them. A target that
did not build, a test that ended without saying which case failed, and a Bazel
that failed without any of these count as one failure each.
"""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree


def read_events(path):
  try:
    with open(path, encoding="utf-8") as lines:
      return [json.loads(line) for line in lines if line.strip()]
  except (OSError, ValueError):
    return []  # Bazel did not get that far; STATUS says so.


def count_cases(path):
  """The numbers of cases that passed and failed, by one test.xml."""
  passed = failed = 0
  for case in xml.etree.ElementTree.parse(path).iter("testcase"):
    if case.find("failure") is not None or case.find("error") is not None:
      failed += 1
    elif case.find("skipped") is None and case.get("status") != "notrun":
      passed += 1
  return passed, failed


def count_result(result):
  """The same for one run of one test (one shard, one attempt)."""
  cases = (0, 0)
  for output in result.get("testActionOutput", []):
    if output["name"] == "test.xml":
      path = urllib.parse.urlparse(output["uri"]).path
      try:
        cases = count_cases(urllib.request.url2pathname(path))
      except (OSError, xml.etree.ElementTree.ParseError):
        pass
  passed, failed = cases
  if result.get("status") != "PASSED" and not failed:
    failed = 1
  return passed, failed


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
  for result in results.values():
    cases = count_result(result)
    passed += cases[0]
    failed += cases[1]
  if status != 0 and not failed:
    failed = 1
  print(passed, failed)


if __name__ == "__main__":
  main(sys.argv[1], int(sys.argv[2]))
