// Trace: what happened in one execution, event by event, in words and places.
//
// It is written by the last run of a search, the replay of the shrunk schedule;
// the search itself records only its choices.

#ifndef CLOTHO_SIM_ENGINE_TRACE_H_
#define CLOTHO_SIM_ENGINE_TRACE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace clotho::sim {

// Where a coroutine is suspended.
struct TraceFrame {
  std::string function;
  std::string file;
  std::uint32_t line = 0;

  friend bool operator==(const TraceFrame&, const TraceFrame&) = default;
  friend auto operator<=>(const TraceFrame&, const TraceFrame&) = default;
};

struct TraceEvent {
  enum class Kind {
    kStart,      // A task begins, or a callback runs.
    kResume,     // A task resumes where it waited.
    kSpawn,      // A task is created; `other` is its lane.
    kWake,       // Another task becomes ready; `other` is its lane.
    kAwait,      // The task waits; the text says what for.
    kReturn,     // The task ends with a value,
    kRaise,      // with an exception,
    kCancelled,  // or cancelled.
    kFailure,    // The execution fails here.
    kTimer,      // The next timer fires early; it has no lane.
    kRead,       // A tracked object is read,
    kWrite,      // or written.
    kChoice,     // The environment makes a decision.
  };

  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::size_t lane = 0;
  Kind kind = Kind::kStart;
  std::string text = {};
  std::string file = {};   // Empty: unknown.
  std::uint32_t line = 0;  // 0: unknown.
  std::size_t other = 0;
  // For a wait in a coroutine that another one awaits: the index in `stacks`,
  // from 1. 0: the place says everything.
  std::size_t stack = 0;

  friend bool operator==(const TraceEvent&, const TraceEvent&) = default;
};

// A choice that differs from FIFO order.
struct DeviationText {
  std::uint64_t step = 0;
  std::string taken;  // "ran worker-2 (job_queue.cc:20)"
  std::string fifo;   // "FIFO order runs worker-1 (job_queue.cc:23)"
};

// A step that was taken: by a task, by a callback, or by a timer that fired
// early. Decisions of the environment, and time that passes in FIFO ordering,
// have step numbers but no TraceStep.
struct TraceStep {
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::size_t choice = 0;      // Index of the candidate; 0 is FIFO order's.
  std::size_t candidates = 1;  // Number of candidates.
  bool has_timer = false;      // The last candidate is the next timer.
  std::string taken = {};      // "worker-2 (job_queue.cc:20)"
  // The candidates in words, 16 at most. Empty if there is only one.
  std::vector<std::string> named = {};
  // Why each of those could run; with a single candidate, why that one could.
  std::vector<std::string> why = {};
  // The step in which the candidate that ran became ready; 0: before the first.
  std::uint64_t since = 0;
  // The lane that made it ready. Empty: none, a timer was due.
  std::optional<std::size_t> by = {};
};

// A step of another execution, for comparison.
struct FifoStep {
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::string task = {};   // "-": no task.
  std::string taken = {};  // As in TraceStep.
};

// The same test in FIFO order.
struct FifoRun {
  std::vector<FifoStep> steps;
  std::uint64_t left_out = 0;  // Steps at the end that `steps` omits.
  std::string failure = {};    // Its first line. Empty: the test passes.
};

// A task that was not done when the execution ended.
struct TraceWait {
  std::string task;
  bool background = false;
  std::string what = {};  // Lock "A"; empty: nothing, it could have run.
  // When its last wait began; step 0: it never waited.
  std::uint64_t since_step = 0;
  std::int64_t since_ns = 0;
  // Where its coroutines are suspended, innermost last; empty if it has not
  // started.
  std::vector<TraceFrame> stack = {};
  TraceFrame created = {};  // Line 0: unknown.
  // The tasks that could end the wait, as indices in Trace::waits.
  std::vector<std::size_t> holders = {};
  bool taken = false;    // The holder took what is waited for,
  TraceFrame held = {};  // at this place. Line 0: unknown.
};

// The operations and results of a history that is not linearizable.
struct TraceHistory {
  struct Operation {
    std::string client;
    std::string text;  // "Get(x) -> 1"
    // Calls and returns, numbered together.
    std::uint64_t called = 0;
    std::optional<std::uint64_t> returned = {};  // Empty: it has not returned.
    std::uint64_t called_step = 0;               // 0: outside the execution.
    std::uint64_t returned_step = 0;
    std::int64_t called_ns = 0;
    std::int64_t returned_ns = 0;
    // Part of the contradiction; and an operation that must merely be present
    // for it.
    bool in_part = false;
    bool in_context = false;
    bool stuck = false;  // The operation that no order explains.
  };
  std::string name;
  std::string key = {};    // Of the partition; may be empty.
  bool undecided = false;  // The check exceeded its step budget.
  std::vector<Operation> operations = {};  // Of the partition, sorted by calls.
  // A longest valid order, the state after it, and the results that would be
  // valid for the `stuck` operation there.
  std::vector<std::string> order = {};
  std::string state = {};
  std::vector<std::string> right_results = {};
};

struct Trace {
  // The lanes, in order of appearance: one per task, and "-" for events that
  // belong to no task.
  std::vector<std::string> lanes;
  std::vector<TraceEvent> events;
  std::vector<DeviationText> deviations;
  std::vector<TraceStep> steps;
  std::vector<std::vector<TraceFrame>> stacks;  // Innermost last.

  // For a failed execution: every task that was not done, oldest first; the
  // tasks in a wait cycle; its histories.
  std::vector<TraceWait> waits;
  std::vector<std::size_t> cycle;
  std::vector<TraceHistory> histories;
  // Set if the execution deviates from FIFO order and was not cut short by a
  // crash.
  std::optional<FifoRun> fifo;

  // A hash of the lanes, events and deviations. It leaves out the files and
  // lines of places, which may differ between compilers.
  std::uint64_t Hash() const;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_TRACE_H_
