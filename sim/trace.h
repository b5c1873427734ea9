// Trace: what happened in one execution, event by event, in words and places.
//
// Written by the last run of a search, the replay of the shrunk schedule; the
// search itself records no more than its choices.

#ifndef CLOTHO_SIM_TRACE_H_
#define CLOTHO_SIM_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace clotho::sim {

struct TraceEvent {
  enum class Kind {
    kStart,      // A task begins, or a callback runs.
    kResume,     // A task goes on where it waited.
    kSpawn,      // A task is made; `other` is its lane.
    kWake,       // Another task becomes ready; `other` is its lane.
    kAwait,      // The task waits; the text says for what.
    kReturn,     // The task has ended: with a value,
    kRaise,      // an exception,
    kCancelled,  // or a cancellation.
    kFailure,    // Here the execution failed.
    kTimer,      // The next timer fires early; of no lane.
    kRead,       // A tracked object is read,
    kWrite,      // or written.
    kChoice,     // The environment decides.
  };

  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::size_t lane = 0;
  Kind kind = Kind::kStart;
  std::string text = {};
  std::string file = {};   // Empty: no place is known.
  std::uint32_t line = 0;  // 0: no place is known.
  std::size_t other = 0;

  friend bool operator==(const TraceEvent&, const TraceEvent&) = default;
};

// A choice that was not plain order's.
struct Departure {
  std::uint64_t step = 0;
  std::string taken;  // "ran worker-2 (job_queue.cc:20)"
  std::string plain;  // "plain order runs worker-1 (job_queue.cc:23)"
};

// A step that was taken: of a task, of a callback, or a timer that fired early.
// A decision of the environment, and time that passes in strict freedom, have a
// number but are none.
struct TraceStep {
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::size_t choice = 0;      // Which of the candidates; 0 is plain order's.
  std::size_t candidates = 1;  // How many there were.
  bool has_timer = false;      // The last one is the next timer.
  std::string taken = {};      // "worker-2 (job_queue.cc:20)"
  // The first of the candidates, up to 16, in words. Empty if there is only
  // one.
  std::vector<std::string> named = {};
};

struct Trace {
  // A lane each, in the order in which they appeared: tasks, and "-" for what
  // belongs to none.
  std::vector<std::string> lanes;
  std::vector<TraceEvent> events;
  std::vector<Departure> departures;
  std::vector<TraceStep> steps;

  // A hash over lanes, events and departures, without the lines and files of
  // places, which may differ between compilers.
  std::uint64_t Hash() const;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_TRACE_H_
