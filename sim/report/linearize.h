// Is there an order of concurrent operations that explains their results?
//
// The search is Wing and Gong's ("Testing and verifying concurrent objects",
// 1993): it appends one operation after another to the order, each called
// before the first return among the remaining ones, and only if the model
// agrees with its result. It adds Lowe's memoization ("Testing for
// linearizability", 2017): each (set of linearized operations, model state)
// pair is expanded only once.
//
// An operation whose outcome is unknown may take effect at any time after its
// call, or never. It is appended only if it changes the state, and after
// everything that can be ordered without it. The search prunes a state if
// another order reached it using fewer unknown-outcome operations, because that
// order has more of them left. This keeps the search small if there are many
// such operations.
//
// Here the model and the history consist of numbers; sim/history.h knows the
// types behind them.

#ifndef CLOTHO_SIM_REPORT_LINEARIZE_H_
#define CLOTHO_SIM_REPORT_LINEARIZE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace clotho::sim::internal {

// The sequential specification. States and operations are numbers; equal states
// have equal numbers. The initial state is 0.
class SequentialModel {
 public:
  // Appends to `next` the states to which `operation` may lead from `state` if
  // it returns what was recorded or, if `any_result`, whatever it returns.
  // Returns how many alternatives of the model it examined.
  virtual std::uint64_t Apply(std::uint32_t state, std::uint32_t operation,
                              bool any_result,
                              std::vector<std::uint32_t>& next) = 0;

 protected:
  ~SequentialModel() = default;
};

// The return of an operation that has not returned.
inline constexpr std::uint64_t kNever =
    std::numeric_limits<std::uint64_t>::max();

// An operation of a history. Calls and returns are numbered in the order in
// which they happened; all numbers are distinct.
struct Event {
  std::uint32_t operation = 0;
  std::uint64_t called = 0;
  std::uint64_t returned = kNever;  // kNever: the outcome is unknown.
};

enum class SearchEnd { kFound, kNone, kOutOfSteps };

struct SearchResult {
  SearchEnd end = SearchEnd::kOutOfSteps;
  // How many alternatives of the model were examined.
  std::uint64_t steps = 0;
  // If found: a valid order of the operations' numbers. If there is none: a
  // longest valid order, the state after it, and an operation that must come
  // next but cannot have returned what it did.
  std::vector<std::uint32_t> order = {};
  std::uint32_t state = 0;
  std::uint32_t stuck = 0;
};

// Looks for an order of `history`, which is sorted by calls. Gives up after
// more than `steps_max` steps.
SearchResult Linearize(std::span<const Event> history, SequentialModel& model,
                       std::uint64_t steps_max);

// Why a history cannot be linearized.
//
// The explanation leaves operations out by treating their outcomes as unknown:
// they may still have happened, with any result. If the weaker history has no
// order, the original has none either, so what remains is a contradiction by
// itself. (Removing an operation altogether would prove nothing: without the
// write, every read of what it wrote is wrong.)
struct Contradiction {
  // Operations that cannot all have returned what they did, when they did,
  // whatever happened to all others. Sorted by calls. They returned no later
  // than the first return after which no order exists. If `minimal`, each of
  // them is needed: if its outcome is also treated as unknown, there is an
  // order. If a contradiction of three or fewer operations can be found, their
  // number is the smallest possible.
  std::vector<std::uint32_t> part = {};
  // Other operations whose outcomes do not matter but which must be present: if
  // they had not been called, fewer operations than `part` would be
  // contradictory. Sorted by calls.
  std::vector<std::uint32_t> context = {};
  // False if a limit on the effort stopped the minimization.
  bool minimal = true;
  // A longest valid order of both together: see SearchResult.
  std::vector<std::uint32_t> order = {};
  std::uint32_t state = 0;
  std::uint32_t stuck = 0;
};

// Explains a history for which `Linearize` ended with kNone after `steps`
// steps.
Contradiction FindContradiction(std::span<const Event> history,
                                SequentialModel& model, std::uint64_t steps);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_LINEARIZE_H_
