// Results: what a failure leaves behind in a folder, and the schedules that are
// saved in files.

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

// The name of a test as that of a file: "All/QueueTest.Works/3" has slashes.
std::string FileName(std::string_view test);

// Writes the whole file or none: first under another name, beside it. An error
// names the file and says why; what was there before is still there then.
absl::Status WriteFile(const std::string& path, std::string_view content);

// Writes what there is to know about a failure of `test` into a folder of its
// own below `folder`, which is made if it is not there: the report, the trace
// in two forms, and the schedule as it would be saved. Puts where they are, or
// what has gone wrong, into `report.files`; and returns what has gone wrong. Of
// several failures of a test each has a folder of its own, `part`, in that.
absl::Status WriteArtifacts(const std::string& folder, std::string_view test,
                            Report& report, std::string_view part = "",
                            bool with_traces = true);

// Writes the trace of an execution of `test` that has passed, where that of a
// failure would be. Returns where it is, or what has gone wrong.
absl::StatusOr<std::string> WriteTrace(const std::string& folder,
                                       std::string_view test,
                                       const Report& report);

// Writes schedules of `test`, as bytes, into corpus/Suite.Name below `folder`:
// a file each, named after what is in it, so that many may write there. That is
// what fuzzers begin with.
absl::Status WriteCorpus(const std::string& folder, std::string_view test,
                         std::span<const std::string> schedules);

// Where the saved schedules of a test are: in `folder`; if that is empty, in
// testdata/clotho beside the source file.
std::string SavedFile(std::string_view folder, std::string_view source,
                      std::string_view test);

// Reads the schedules of a `.saved` file. Each has a line: a replay string, and
// after a space whatever is to be remembered of it:
//
//   # Found by the nightly run.
//   c1/0/4:1/b7e2  2031-05-02  job_queue.cc:25 Always  issue 212
//
// Empty lines, and those that begin with '#', are passed over. A file that is
// not there has none. An error names the file and quotes the line.
absl::StatusOr<std::vector<SavedSchedule>> ReadSaved(const std::string& path);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_ARTIFACTS_H_
