#include "clotho/sim/report/linearize.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "clotho/sim/engine/hash.h"

namespace clotho::sim::internal {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kBits = 64;

// The search expands the longest order first, and among those the one with the
// fewest operations of unknown outcome. Nothing needs to be undone: the next
// operations follow from the set of ordered operations, which is small apart
// from a prefix that all orders share.
class Search {
 public:
  Search(std::span<const Event> history, SequentialModel& model,
         std::uint64_t steps_max)
      : model_(model),
        steps_max_(steps_max),
        visited_(0, HashOf{this}, SameKey{this}) {
    for (const Event& event : history) {
      (event.returned == kNever ? unknown_ : known_).push_back(event);
    }
  }

  SearchResult Run() {
    SearchResult result;
    nodes_.push_back({});
    Keep();
    while (!found_ && !todo_.empty() && steps_ <= steps_max_) {
      const std::uint32_t node = todo_.top().node;
      todo_.pop();
      Expand(node);
    }
    result.steps = steps_;
    if (!found_ && steps_ > steps_max_) return result;
    result.end = found_ ? SearchEnd::kFound : SearchEnd::kNone;
    result.state = nodes_[best_].state;
    for (std::uint32_t at = best_; nodes_[at].parent != kNone;
         at = nodes_[at].parent) {
      result.order.push_back(nodes_[at].operation);
    }
    std::reverse(result.order.begin(), result.order.end());
    if (!found_) {
      // No next operation is possible, or this would not be the end. The latest
      // is most likely the one that a reader would call wrong.
      ListNext(best_);
      result.stuck = known_[next_.back()].operation;
    }
    return result;
  }

 private:
  // The set of ordered operations, and the state to which they led.
  struct Node {
    std::uint32_t parent = kNone;
    std::uint32_t operation = 0;  // The last one.
    std::uint32_t state = 0;
    std::uint32_t known = 0;    // How many operations with a known outcome.
    std::uint32_t unknown = 0;  // How many operations with an unknown outcome.
    // In data_, from `data` on: the set of the known ones as words of bits,
    // without the full words at the front and the empty words at the back; then
    // the others, as ascending indices.
    std::size_t data = 0;
    std::uint32_t full_words = 0;
    std::uint32_t words = 0;
    // The next node with the same known operations and state.
    std::uint32_t same_key = kNone;
  };

  struct Todo {
    std::uint32_t known;
    std::uint32_t unknown;
    std::uint32_t node;

    // The greatest one is at the top.
    bool operator<(const Todo& other) const {
      if (known != other.known) return known < other.known;
      if (unknown != other.unknown) return unknown > other.unknown;
      return node > other.node;
    }
  };

  std::span<const std::uint64_t> WordsOf(const Node& node) const {
    return {data_.data() + node.data, node.words};
  }
  std::span<const std::uint64_t> UnknownOf(const Node& node) const {
    return {data_.data() + node.data + node.words, node.unknown};
  }

  // The set of known operations and the state are the key of a node.
  struct HashOf {
    const Search* search;
    std::size_t operator()(std::uint32_t index) const {
      const Node& node = search->nodes_[index];
      StreamHash hash;
      hash.Add(node.state);
      hash.Add(node.full_words);
      for (const std::uint64_t word : search->WordsOf(node)) hash.Add(word);
      return hash.Finish();
    }
  };
  struct SameKey {
    const Search* search;
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      const Node& one = search->nodes_[a];
      const Node& other = search->nodes_[b];
      const auto words = search->WordsOf(one);
      const auto other_words = search->WordsOf(other);
      return one.state == other.state && one.full_words == other.full_words &&
             std::equal(words.begin(), words.end(), other_words.begin(),
                        other_words.end());
    }
  };

  // Lists in next_ the known operations that may come next: those that were
  // called before any of them returned. Returns the first of those returns.
  std::uint64_t ListNext(std::uint32_t index) {
    const Node& node = nodes_[index];
    const auto words = WordsOf(node);
    std::uint64_t first_return = kNever;
    next_.clear();
    for (std::size_t word = 0;; ++word) {
      std::uint64_t left = word < words.size() ? ~words[word] : ~0ULL;
      for (; left != 0; left &= left - 1) {
        const std::size_t i =
            (node.full_words + word) * kBits + std::countr_zero(left);
        if (i >= known_.size() || known_[i].called > first_return) {
          return first_return;
        }
        first_return = std::min(first_return, known_[i].returned);
        next_.push_back(static_cast<std::uint32_t>(i));
      }
    }
  }

  void Expand(std::uint32_t index) {
    const std::uint64_t first_return = ListNext(index);
    const std::uint32_t state = nodes_[index].state;
    for (const std::uint32_t i : next_) {
      states_.clear();
      steps_ += model_.Apply(state, known_[i].operation, /*any_result=*/false,
                             states_);
      for (const std::uint32_t next : states_) {
        AddKnown(index, i, next);
        if (found_) return;
      }
      if (steps_ > steps_max_) return;
    }
    for (std::uint32_t i = 0;
         i < unknown_.size() && unknown_[i].called < first_return; ++i) {
      const auto used = UnknownOf(nodes_[index]);
      if (std::binary_search(used.begin(), used.end(), i)) continue;
      states_.clear();
      steps_ += model_.Apply(state, unknown_[i].operation, /*any_result=*/true,
                             states_);
      for (const std::uint32_t next : states_) {
        // Without an effect, it is equivalent to never.
        if (next != state) AddUnknown(index, i, next);
      }
      if (steps_ > steps_max_) return;
    }
  }

  // Copies the sets of `index` to the end of data_, the first with room for
  // `words` words.
  Node Child(std::uint32_t index, std::uint32_t words) {
    const Node& parent = nodes_[index];
    Node node = parent;
    node.parent = index;
    node.same_key = kNone;
    node.words = std::max(parent.words, words);
    node.data = data_.size();
    data_.resize(data_.size() + node.words + parent.unknown);
    const auto from = data_.begin() + parent.data;
    const auto to = data_.begin() + node.data;
    std::copy_n(from, parent.words, to);
    std::copy_n(from + parent.words, parent.unknown, to + node.words);
    return node;
  }

  void AddKnown(std::uint32_t index, std::uint32_t i, std::uint32_t state) {
    const std::uint32_t word =
        static_cast<std::uint32_t>(i / kBits) - nodes_[index].full_words;
    Node node = Child(index, word + 1);
    node.operation = known_[i].operation;
    node.state = state;
    ++node.known;
    data_[node.data + word] |= std::uint64_t{1} << (i % kBits);
    while (node.words > 0 && data_[node.data] == ~std::uint64_t{0}) {
      ++node.data;
      ++node.full_words;
      --node.words;
    }
    nodes_.push_back(node);
    Keep();
  }

  void AddUnknown(std::uint32_t index, std::uint32_t i, std::uint32_t state) {
    Node node = Child(index, 0);
    node.operation = unknown_[i].operation;
    node.state = state;
    ++node.unknown;
    const auto used = data_.begin() + node.data + node.words;
    data_.insert(std::lower_bound(used, data_.end(), i), i);
    nodes_.push_back(node);
    Keep();
  }

  // Keeps the newest node unless another node makes it redundant.
  void Keep() {
    const std::uint32_t index = static_cast<std::uint32_t>(nodes_.size() - 1);
    Node& node = nodes_.back();
    const auto [first, is_new] = visited_.insert(index);
    if (!is_new) {
      const auto used = UnknownOf(node);
      for (std::uint32_t at = *first; at != kNone; at = nodes_[at].same_key) {
        const auto fewer = UnknownOf(nodes_[at]);
        if (std::includes(used.begin(), used.end(), fewer.begin(),
                          fewer.end())) {
          data_.resize(node.data);
          nodes_.pop_back();
          return;
        }
      }
      node.same_key = std::exchange(nodes_[*first].same_key, index);
    }
    const Node& best = nodes_[best_];
    if (node.known > best.known ||
        (node.known == best.known && node.unknown < best.unknown)) {
      best_ = index;
    }
    found_ = node.known == known_.size();
    todo_.push({node.known, node.unknown, index});
  }

  std::vector<Event> known_;
  std::vector<Event> unknown_;
  SequentialModel& model_;
  const std::uint64_t steps_max_;
  std::uint64_t steps_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::uint64_t> data_;
  absl::flat_hash_set<std::uint32_t, HashOf, SameKey> visited_;
  std::priority_queue<Todo> todo_;
  std::uint32_t best_ = 0;  // The node that goes furthest.
  bool found_ = false;
  std::vector<std::uint32_t> next_;    // Scratch.
  std::vector<std::uint32_t> states_;  // Scratch.
};

// What is still asserted about an operation.
enum class Claim : std::uint8_t {
  kAbsent,   // Nothing: it counts as not called.
  kUnknown,  // That it was called.
  kAll,      // What it returned, and when it returned.
};

// An attempt that needs more steps counts as failed.
constexpr std::uint64_t kAttemptSteps = 100'000;
constexpr std::uint64_t kExplanationSteps = 2'000'000;

// Contradictions up to this size are found by trying all of them, unless that
// takes too many attempts.
constexpr std::size_t kSmall = 3;
constexpr std::size_t kTries = 1'000;

class Explainer {
 public:
  Explainer(std::span<const Event> history, SequentialModel& model,
            std::uint64_t steps)
      : history_(history),
        model_(model),
        attempt_steps_(kAttemptSteps + 2 * steps),
        steps_left_(kExplanationSteps + 20 * steps) {}

  Contradiction Run() {
    const std::vector<std::size_t> start = Cut();
    std::vector<std::size_t> part;
    std::vector<std::size_t> context;
    for (std::size_t size = 1; size <= kSmall && part.empty(); ++size) {
      Smallest(start, size, part, context);
    }
    if (part.empty()) {
      part = Drop(start);
      context = ContextOf(part);
    }

    std::vector<Claim> claims(history_.size(), Claim::kAbsent);
    for (const std::size_t i : context) claims[i] = Claim::kUnknown;
    for (const std::size_t i : part) claims[i] = Claim::kAll;
    // The proof used more operations, and so more steps.
    const SearchResult result = Linearize(Claimed(claims), model_, kNever);
    return {.part = Operations(part),
            .context = Operations(context),
            .minimal = minimal_,
            .order = result.order,
            .state = result.state,
            .stuck = result.stuck};
  }

 private:
  std::vector<std::uint32_t> Operations(
      const std::vector<std::size_t>& indices) const {
    std::vector<std::uint32_t> operations;
    for (const std::size_t i : indices) {
      operations.push_back(history_[i].operation);
    }
    return operations;
  }

  std::vector<Event> Claimed(const std::vector<Claim>& claims) const {
    std::vector<Event> events;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (claims[i] == Claim::kAbsent) continue;
      events.push_back(history_[i]);
      if (claims[i] == Claim::kUnknown) events.back().returned = kNever;
    }
    return events;
  }

  SearchResult Attempt(const std::vector<Claim>& claims) {
    if (steps_left_ == 0) return {};
    SearchResult result = Linearize(Claimed(claims), model_,
                                    std::min(attempt_steps_, steps_left_));
    steps_left_ -= std::min(steps_left_, result.steps);
    return result;
  }

  // Whether an attempt ends like this. If it does not finish, records that a
  // shorter contradiction may exist.
  bool Ends(const std::vector<Claim>& claims, SearchEnd end) {
    const SearchResult result = Attempt(claims);
    minimal_ = minimal_ && result.end != SearchEnd::kOutOfSteps;
    return result.end == end;
  }

  // The earliest return after which no order exists: the operations that
  // returned until then. Operations called later are absent from now on.
  std::vector<std::size_t> Cut() {
    std::vector<std::uint64_t> returns;
    for (const Event& event : history_) {
      if (event.returned != kNever) returns.push_back(event.returned);
    }
    std::sort(returns.begin(), returns.end());
    const auto claims_until = [&](std::uint64_t last) {
      std::vector<Claim> claims;
      for (const Event& event : history_) {
        claims.push_back(event.called > last     ? Claim::kAbsent
                         : event.returned > last ? Claim::kUnknown
                                                 : Claim::kAll);
      }
      return claims;
    };
    std::size_t low = 0;
    std::size_t high = returns.size() - 1;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (Attempt(claims_until(returns[middle])).end == SearchEnd::kNone) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    rest_ = claims_until(returns[high]);
    std::vector<std::size_t> part;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] != Claim::kAll) continue;
      part.push_back(i);
      rest_[i] = Claim::kUnknown;
    }
    return part;
  }

  // Removes from `items` whatever can be removed, large pieces first, the
  // oldest first. If `holds` is monotone (true for every superset of a set for
  // which it is true), one pass over single items leaves only what is needed.
  static std::vector<std::size_t> Minimize(
      std::vector<std::size_t> items,
      absl::FunctionRef<bool(const std::vector<std::size_t>&)> holds) {
    for (std::size_t piece = std::bit_ceil(items.size()); piece > 0;
         piece /= 2) {
      for (std::size_t at = 0; at < items.size();) {
        const std::size_t end = std::min(at + piece, items.size());
        std::vector<std::size_t> less(items.begin(), items.begin() + at);
        less.insert(less.end(), items.begin() + end, items.end());
        if (holds(less)) {
          items = std::move(less);
        } else {
          at = end;
        }
      }
    }
    return items;
  }

  // The contradiction of `size` operations with the smallest context, and among
  // those the one with the latest operations; nothing if there is none, or if
  // there are too many to try.
  void Smallest(const std::vector<std::size_t>& start, std::size_t size,
                std::vector<std::size_t>& part,
                std::vector<std::size_t>& context) {
    // Without the last return there is an order: so every contradiction
    // contains it.
    const std::size_t last = *std::max_element(
        start.begin(), start.end(), [this](std::size_t a, std::size_t b) {
          return history_[a].returned < history_[b].returned;
        });
    std::vector<std::size_t> others(start.rbegin(), start.rend());
    others.erase(std::find(others.begin(), others.end(), last));
    std::size_t tries = 1;
    for (std::size_t i = 1; i < size; ++i) tries *= others.size();
    if (others.size() + 1 < size || tries > kTries) return;
    std::vector<std::size_t> picked(size - 1);
    std::iota(picked.begin(), picked.end(), 0);
    do {
      std::vector<Claim> claims = rest_;
      std::vector<std::size_t> some = {last};
      for (const std::size_t i : picked) some.push_back(others[i]);
      for (const std::size_t i : some) claims[i] = Claim::kAll;
      if (!Ends(claims, SearchEnd::kNone)) continue;
      std::sort(some.begin(), some.end());
      std::vector<std::size_t> around = ContextOf(some);
      if (part.empty() || around.size() < context.size()) {
        part = std::move(some);
        context = std::move(around);
      }
      if (context.empty()) return;
    } while (NextSelection(picked, others.size()));
  }

  // Advances to the next selection of `picked.size()` numbers below `count`.
  static bool NextSelection(std::vector<std::size_t>& picked,
                            std::size_t count) {
    for (std::size_t i = picked.size(); i-- > 0;) {
      if (++picked[i] > count - picked.size() + i) continue;
      std::iota(picked.begin() + i + 1, picked.end(), picked[i] + 1);
      return true;
    }
    return false;
  }

  std::vector<std::size_t> Drop(const std::vector<std::size_t>& part) {
    return Minimize(part, [this](const std::vector<std::size_t>& less) {
      std::vector<Claim> claims = rest_;
      for (const std::size_t i : less) claims[i] = Claim::kAll;
      return Ends(claims, SearchEnd::kNone);
    });
  }

  // The operations that must be present so that every operation of `part` is
  // needed.
  std::vector<std::size_t> ContextOf(const std::vector<std::size_t>& part) {
    // The operations that were used to order all but one of the part.
    std::vector<bool> used(history_.size());
    for (const std::size_t out : part) {
      std::vector<Claim> claims = rest_;
      for (const std::size_t i : part) claims[i] = Claim::kAll;
      claims[out] = Claim::kUnknown;
      const SearchResult result = Attempt(claims);
      if (result.end != SearchEnd::kFound) minimal_ = false;
      for (std::size_t i = 0; i < history_.size(); ++i) {
        if (std::find(result.order.begin(), result.order.end(),
                      history_[i].operation) != result.order.end()) {
          used[i] = true;
        }
      }
    }
    std::vector<std::size_t> context;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (used[i] && std::find(part.begin(), part.end(), i) == part.end()) {
        context.push_back(i);
      }
    }
    return Minimize(context, [&](const std::vector<std::size_t>& less) {
      std::vector<Claim> claims(history_.size(), Claim::kAbsent);
      for (const std::size_t i : less) claims[i] = Claim::kUnknown;
      for (const std::size_t i : part) claims[i] = Claim::kAll;
      for (const std::size_t out : part) {
        claims[out] = Claim::kUnknown;
        if (!Ends(claims, SearchEnd::kFound)) return false;
        claims[out] = Claim::kAll;
      }
      return true;
    });
  }

  const std::span<const Event> history_;
  SequentialModel& model_;
  const std::uint64_t attempt_steps_;
  std::uint64_t steps_left_;
  bool minimal_ = true;
  // What is asserted about the operations outside the part.
  std::vector<Claim> rest_;
};

}  // namespace

SearchResult Linearize(std::span<const Event> history, SequentialModel& model,
                       std::uint64_t steps_max) {
  return Search(history, model, steps_max).Run();
}

Contradiction FindContradiction(std::span<const Event> history,
                                SequentialModel& model, std::uint64_t steps) {
  return Explainer(history, model, steps).Run();
}

}  // namespace clotho::sim::internal
