// Artifacts: the files that a failure leaves in a folder, and the files of
// saved schedules.

#ifndef CLOTHO_SIM_REPORT_ARTIFACTS_H_
#define CLOTHO_SIM_REPORT_ARTIFACTS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/report/report.h"

namespace clotho::sim::internal {

// The name of a test as a file name: "All/QueueTest.Works/3" contains slashes.
std::string FileName(std::string_view test);

// Writes the whole file or nothing: it writes a temporary file beside it first.
// An error names the file and says why; the old content is then unchanged.
absl::Status WriteFile(const std::string& path, std::string_view content);

// Writes the artifacts of a failure of `test` into its own folder below
// `folder`, which is created if necessary: the report, the trace in two forms,
// and the schedule as it would be saved. Stores where they are, or what went
// wrong, in `report.files`, and returns what went wrong. If a test has several
// failures, each has a subfolder of its own, `part`.
absl::Status WriteArtifacts(const std::string& folder, std::string_view test,
                            Report& report, std::string_view part = "",
                            bool with_traces = true);

// Writes the trace of a passing execution of `test` to the place where that of
// a failure would be. Returns where it is, or what went wrong.
absl::StatusOr<std::string> WriteTrace(const std::string& folder,
                                       std::string_view test,
                                       const Report& report);

// Writes schedules of `test`, as bytes, into corpus/Suite.Name below `folder`:
// one file per schedule, named after its content, so that several processes may
// write there. This is the initial corpus of a fuzzer.
absl::Status WriteCorpus(const std::string& folder, std::string_view test,
                         std::span<const std::string> schedules);

// The file with the saved schedules of a test: in `folder`, or, if that is
// empty, in testdata/clotho beside the source file.
std::string SavedFile(std::string_view folder, std::string_view source,
                      std::string_view test);

// Reads the schedules of a `.saved` file. Each line has a replay string and,
// after a space, an optional note:
//
//   # Found by the nightly run.
//   c1/0/4:1/b7e2  2031-05-02  job_queue.cc:25 Always  issue 212
//
// Empty lines and lines that begin with '#' are ignored. A missing file has no
// schedules. An error names the file and quotes the line.
absl::StatusOr<std::vector<SavedSchedule>> ReadSaved(const std::string& path);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_ARTIFACTS_H_
