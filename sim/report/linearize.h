// Is there an order of concurrent operations that explains what they returned?
//
// The search is Wing and Gong's ("Testing and verifying concurrent objects",
// 1993): put one operation after another into the order, each no later than the
// first return among those that are left, and only if the model agrees with
// what it returned. With Lowe's memory ("Testing for linearizability", 2017): a
// set of ordered operations and a state of the model are gone on from once.
//
// An operation whose outcome is unknown may take effect at any time after its
// call, or never. It is put into the order only if that changes the state, and
// after all that can go without it; and nothing is gone on from that another
// order has reached with fewer of them, for more remain to that one. This keeps
// the search small where there are many.
//
// Here the model is made of numbers, and so is the history: sim/history.h knows
// the types behind them.

#ifndef CLOTHO_SIM_REPORT_LINEARIZE_H_
#define CLOTHO_SIM_REPORT_LINEARIZE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace clotho::sim::internal {

// The sequential specification. States and operations have numbers; equal
// states have the same. The initial state is 0.
class SequentialModel {
 public:
  // Appends to `next` the states to which `operation` may lead from `state` if
  // it returns what was recorded; or, if `any_result`, whatever it returns.
  // Returns how many ways it had to look at.
  virtual std::uint64_t Apply(std::uint32_t state, std::uint32_t operation,
                              bool any_result,
                              std::vector<std::uint32_t>& next) = 0;

 protected:
  ~SequentialModel() = default;
};

// When an operation that has not returned returns.
inline constexpr std::uint64_t kNever =
    std::numeric_limits<std::uint64_t>::max();

// An operation of a history. Calls and returns are numbered in the order in
// which they happened; no two have the same number.
struct Event {
  std::uint32_t operation = 0;
  std::uint64_t called = 0;
  std::uint64_t returned = kNever;  // Never: the outcome is unknown.
};

enum class SearchEnd { kFound, kNone, kOutOfSteps };

struct SearchResult {
  SearchEnd end = SearchEnd::kOutOfSteps;
  // Ways of the model that were looked at.
  std::uint64_t steps = 0;
  // If found: an order, of the operations' numbers. If there is none: one that
  // goes as far as any, and after it the state, and an operation that should
  // come next and cannot have returned what it did.
  std::vector<std::uint32_t> order = {};
  std::uint32_t state = 0;
  std::uint32_t stuck = 0;
};

// Looks for an order of `history`, which is sorted by calls. Gives up when it
// has taken more than `steps_max` steps.
SearchResult Linearize(std::span<const Event> history, SequentialModel& model,
                       std::uint64_t steps_max);

// Why a history cannot be linearized.
//
// Operations are left out by taking their outcomes as unknown: they may still
// have happened, with any result. Who has no order then has none with the
// outcomes either, so that what is left is a contradiction by itself. (To drop
// an operation altogether would prove nothing: without the write, every read of
// what it wrote is wrong.)
struct Contradiction {
  // Operations that cannot all have returned what they did, and when they did,
  // whatever became of all others. Sorted by calls. They have returned before
  // the first return after which there is no order any more. If `minimal`, each
  // is needed: with its outcome unknown, too, there is an order. If three or
  // less can be found to contradict each other, they are as few as possible.
  std::vector<std::uint32_t> part = {};
  // Others, whose outcomes do not matter, but which must be there: if they had
  // not been called, less than `part` would be a contradiction. Sorted by
  // calls.
  std::vector<std::uint32_t> context = {};
  // False if a bound on the effort has ended the search for less.
  bool minimal = true;
  // Of the two together, as far as an order can go: see SearchResult.
  std::vector<std::uint32_t> order = {};
  std::uint32_t state = 0;
  std::uint32_t stuck = 0;
};

// Explains a history for which `Linearize` ended with kNone, and took `steps`
// steps.
Contradiction FindContradiction(std::span<const Event> history,
                                SequentialModel& model, std::uint64_t steps);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_LINEARIZE_H_
