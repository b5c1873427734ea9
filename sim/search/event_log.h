// The event_log of a run: what happens, as it happens, a JSON object to a line,
// in the file results.jsonl of the folder of results. Who draws a screen or
// watches a cluster reads along.
//
//   {"event": "run", "clotho_results": 1, ...}      a program begins
//   {"event": "failure", "test": "A.B", ...}        as in a record
//   {"event": "goal", ...}                          it is reached first
//   {"event": "stats", ...}                         every ten seconds
//   {"event": "test", "verdict": "failed", ...}     the end of a test
//   {"event": "end", "code": 1}                     of the run
//
// Each line is written at once, so that several processes may have one file.

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

  // Opens it for writing at its end; the folder is made if it is not there. An
  // error names what cannot be made.
  absl::Status Open(const std::string& folder);
  // From now on each line goes to this file, too: a descriptor, not owned.
  void AlsoTo(int file) { also_ = file; }
  bool is_open() const { return file_ >= 0 || also_ >= 0; }

  // Adds a line, without its end. Nothing if it is not open. After an error
  // what there is of the line has been taken back, if nobody else has written.
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
