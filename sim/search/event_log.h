// The event log of a run: its events, as they happen, one JSON object per line,
// in the file results.jsonl of the output folder. Programs that draw a screen
// or watch a cluster follow it.
//
//   {"event": "run", "clotho_results": 1, ...}      a program begins
//   {"event": "failure", "test": "A.B", ...}        as in a record
//   {"event": "goal", ...}                          the first time a goal is
//   reached
//   {"event": "stats", ...}                         every ten seconds
//   {"event": "test", "verdict": "failed", ...}     a test ends
//   {"event": "end", "code": 1}                     the run ends
//
// Each line is one write, so that several processes may share the file.

#ifndef CLOTHO_SIM_SEARCH_EVENT_LOG_H_
#define CLOTHO_SIM_SEARCH_EVENT_LOG_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace clotho::sim::internal {

class EventLog {
 public:
  EventLog() = default;
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Opens the file for appending, and creates the folder if necessary. An error
  // names what cannot be created.
  absl::Status Open(const std::string& folder);
  // From now on each line is also written to this descriptor, which is not
  // owned.
  void AlsoTo(int file) { also_ = file; }
  bool is_open() const { return file_ >= 0 || also_ >= 0; }

  // Appends a line; `line` is complete except for the line break. Does nothing
  // if the log is not open. After an error a partial line has been removed,
  // unless another process has written meanwhile.
  absl::Status Write(std::string_view line);

 private:
  static absl::Status WriteTo(int file, const std::string& path,
                              std::string_view line);

  int file_ = -1;
  int also_ = -1;
  std::string path_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_EVENT_LOG_H_
