// Trace: what happened in one execution, event by event, in words and places.
//
// Written by the last run of a search, the replay of the shrunk schedule; the
// search itself records no more than its choices.

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
  // Of a wait in a coroutine that another one awaits: which of `stacks`, from
  // 1. 0: the place is all there is.
  std::size_t stack = 0;

  friend bool operator==(const TraceEvent&, const TraceEvent&) = default;
};

// A choice that was not FIFO order's.
struct DeviationText {
  std::uint64_t step = 0;
  std::string taken;  // "ran worker-2 (job_queue.cc:20)"
  std::string fifo;   // "FIFO order runs worker-1 (job_queue.cc:23)"
};

// A step that was taken: of a task, of a callback, or a timer that fired early.
// A decision of the environment, and time that passes in FIFO ordering, have a
// number but are none.
struct TraceStep {
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::size_t choice = 0;      // Which of the candidates; 0 is FIFO order's.
  std::size_t candidates = 1;  // How many there were.
  bool has_timer = false;      // The last one is the next timer.
  std::string taken = {};      // "worker-2 (job_queue.cc:20)"
  // The first of the candidates, up to 16, in words. Empty if there is only
  // one.
  std::vector<std::string> named = {};
  // Why each of those could run; with one candidate, why that could.
  std::vector<std::string> why = {};
  // What ran had become ready in this step; 0: before the first.
  std::uint64_t since = 0;
  // By whom, a lane. Empty: by nobody, a timer was due.
  std::optional<std::size_t> by = {};
};

// A step of another execution, to compare with.
struct FifoStep {
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::string task = {};   // "-": of none.
  std::string taken = {};  // As in TraceStep.
};

// The same test in FIFO order.
struct FifoRun {
  std::vector<FifoStep> steps;
  std::uint64_t left_out = 0;  // Steps at the end that are not in `steps`.
  std::string failure = {};    // Its first line. Empty: it passes.
};

// A task that was not done when the execution ended.
struct TraceWait {
  std::string task;
  bool background = false;
  std::string what = {};  // Lock "A"; empty: nothing, it could have gone on.
  // When its last wait began; step 0: it has never waited.
  std::uint64_t since_step = 0;
  std::int64_t since_ns = 0;
  // Where its coroutines are suspended, innermost last; empty before its
  // start.
  std::vector<TraceFrame> stack = {};
  TraceFrame created = {};  // Line 0: unknown.
  // Who could end the wait, as places in Trace::waits.
  std::vector<std::size_t> holders = {};
  bool taken = false;    // What is waited for was taken by its holder,
  TraceFrame held = {};  // here. Line 0: unknown.
};

// What clients asked and were told, of a history that is not linearizable.
struct TraceHistory {
  struct Operation {
    std::string client;
    std::string text;  // "Get(x) -> 1"
    // Calls and returns, numbered together.
    std::uint64_t called = 0;
    std::optional<std::uint64_t> returned = {};  // Empty: it has not.
    std::uint64_t called_step = 0;               // 0: outside of the execution.
    std::uint64_t returned_step = 0;
    std::int64_t called_ns = 0;
    std::int64_t returned_ns = 0;
    // What contradicts itself; and what must only be there for that.
    bool in_part = false;
    bool in_context = false;
    bool stuck = false;  // The one that no order explains.
  };
  std::string name;
  std::string key = {};                    // Of the partition; may be empty.
  bool undecided = false;                  // Its search was given up.
  std::vector<Operation> operations = {};  // Of the partition, by their calls.
  // As far as an order can go; the state after it; what `stuck` would have to
  // return there.
  std::vector<std::string> order = {};
  std::string state = {};
  std::vector<std::string> right_results = {};
};

struct Trace {
  // A lane each, in the order in which they appeared: tasks, and "-" for what
  // belongs to none.
  std::vector<std::string> lanes;
  std::vector<TraceEvent> events;
  std::vector<DeviationText> deviations;
  std::vector<TraceStep> steps;
  std::vector<std::vector<TraceFrame>> stacks;  // Innermost last.

  // Of an execution that has failed: every task that was not done, oldest
  // first; those that wait for each other in a circle; its histories.
  std::vector<TraceWait> waits;
  std::vector<std::size_t> cycle;
  std::vector<TraceHistory> histories;
  // If it deviates from FIFO order, and was not cut short by a crash.
  std::optional<FifoRun> fifo;

  // A hash over lanes, events and deviations, without the lines and files of
  // places, which may differ between compilers.
  std::uint64_t Hash() const;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_TRACE_H_
