// The verdict of History against the definition, word for word, and what it
// says about a history that has no order.

#include "clotho/sim/history.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <numeric>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/explore.h"
#include "clotho/sim/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/random.h"
#include "clotho/sim/report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Lt;
using testing::Not;
using testing::SizeIs;

// ---- Models. ----

struct Put {
  int value = 0;
};
struct Get {};
std::ostream& operator<<(std::ostream& out, const Put& put) {
  return out << "Put(" << put.value << ")";
}
std::ostream& operator<<(std::ostream& out, const Get&) { return out << "Get"; }

// What a Put returns says nothing.
struct Register {
  using State = int;
  using Operation = std::variant<Put, Get>;
  using Result = std::variant<std::monostate, int>;
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* const put = std::get_if<Put>(&operation)) {
      state = put->value;
      return std::monostate();
    }
    return state;
  }
};

struct Enqueue {
  int item = 0;
};
struct Dequeue {};
std::ostream& operator<<(std::ostream& out, const Enqueue& enqueue) {
  return out << "Enqueue(" << enqueue.item << ")";
}
std::ostream& operator<<(std::ostream& out, const Dequeue&) {
  return out << "Dequeue";
}

struct Fifo {
  using State = std::deque<int>;
  using Operation = std::variant<Enqueue, Dequeue>;
  using Result = std::optional<int>;  // Of a Dequeue: none if it is empty.
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* const enqueue = std::get_if<Enqueue>(&operation)) {
      state.push_back(enqueue->item);
      return std::nullopt;
    }
    if (state.empty()) return std::nullopt;
    const int item = state.front();
    state.pop_front();
    return item;
  }
};

struct Insert {
  int item = 0;
};
struct Erase {
  int item = 0;
};
struct Contains {
  int item = 0;
};
std::ostream& operator<<(std::ostream& out, const Insert& insert) {
  return out << "Insert(" << insert.item << ")";
}
std::ostream& operator<<(std::ostream& out, const Erase& erase) {
  return out << "Erase(" << erase.item << ")";
}
std::ostream& operator<<(std::ostream& out, const Contains& contains) {
  return out << "Contains(" << contains.item << ")";
}

// Whether it was new, was there, is there.
struct Set {
  using State = std::set<int>;
  using Operation = std::variant<Insert, Erase, Contains>;
  using Result = bool;
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* const insert = std::get_if<Insert>(&operation)) {
      return state.insert(insert->item).second;
    }
    if (const auto* const erase = std::get_if<Erase>(&operation)) {
      return state.erase(erase->item) > 0;
    }
    return state.contains(std::get<Contains>(operation).item);
  }
};

// ---- Histories by chance, and the definition. ----

template <typename Model>
struct Call {
  typename Model::Operation operation;
  std::optional<typename Model::Result> result;
  std::uint64_t called = 0;
  std::uint64_t returned = internal::kNever;
};

template <typename Model>
using Calls = std::vector<Call<Model>>;

// Tries all orders of all operations that have returned and of each selection
// of the others.
template <typename Model>
bool IsLinearizableByDefinition(const Calls<Model>& calls) {
  std::vector<std::size_t> known;
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    (calls[i].result.has_value() ? known : unknown).push_back(i);
  }
  for (std::size_t chosen = 0; chosen < 1u << unknown.size(); ++chosen) {
    std::vector<std::size_t> order = known;
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      if ((chosen >> i) % 2 == 1) order.push_back(unknown[i]);
    }
    std::sort(order.begin(), order.end());
    do {
      typename Model::State state{};
      bool fits = true;
      for (std::size_t at = 0; at < order.size() && fits; ++at) {
        const Call<Model>& call = calls[order[at]];
        for (std::size_t before = 0; before < at; ++before) {
          fits = fits && calls[order[before]].called < call.returned;
        }
        const auto result = Model::Apply(state, call.operation);
        fits = fits && (!call.result.has_value() || *call.result == result);
      }
      if (fits) return true;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return false;
}

Register::Operation RandomOperation(Register, Rng& rng) {
  if (rng.Uniform(2) == 0) return Put{static_cast<int>(rng.Uniform(3))};
  return Get{};
}
Fifo::Operation RandomOperation(Fifo, Rng& rng) {
  if (rng.Uniform(2) == 0) return Enqueue{static_cast<int>(rng.Uniform(3))};
  return Dequeue{};
}
Set::Operation RandomOperation(Set, Rng& rng) {
  const int item = static_cast<int>(rng.Uniform(2));
  const std::uint64_t kind = rng.Uniform(3);
  if (kind == 0) return Insert{item};
  if (kind == 1) return Erase{item};
  return Contains{item};
}

// What goes wrong with a result. It may be right all the same.
Register::Result RandomResult(Register, const Register::Operation& operation,
                              Rng& rng) {
  if (std::holds_alternative<Put>(operation)) return std::monostate();
  return static_cast<int>(rng.Uniform(3));
}
Fifo::Result RandomResult(Fifo, const Fifo::Operation& operation, Rng& rng) {
  const int item = static_cast<int>(rng.Uniform(4));
  if (std::holds_alternative<Enqueue>(operation) || item == 3) {
    return std::nullopt;
  }
  return item;
}
Set::Result RandomResult(Set, const Set::Operation&, Rng& rng) {
  return rng.Uniform(2) == 0;
}

// Operations of some clients on an object, each of which happens at its call or
// at its return. Some are lost on the way, there or back; some results are
// wrong.
template <typename Model>
Calls<Model> RandomCalls(Rng& rng, std::size_t count, std::size_t clients,
                         std::uint64_t wrong_percent,
                         std::uint64_t lost_percent) {
  Calls<Model> calls;
  typename Model::State state{};
  std::vector<std::optional<std::size_t>> busy(clients);
  std::vector<std::optional<typename Model::Result>> early(clients);
  std::uint64_t events = 0;
  const auto is_busy = [](const auto& call) { return call.has_value(); };
  while (calls.size() < count ||
         std::any_of(busy.begin(), busy.end(), is_busy)) {
    const std::size_t client = rng.Uniform(clients);
    if (!busy[client].has_value()) {
      if (calls.size() == count) continue;
      busy[client] = calls.size();
      calls.push_back({RandomOperation(Model(), rng), std::nullopt, events++});
      early[client].reset();
      if (rng.Uniform(2) == 0) {
        early[client] = Model::Apply(state, calls.back().operation);
      }
      continue;
    }
    Call<Model>& call = calls[*busy[client]];
    busy[client].reset();
    const bool is_lost = rng.Uniform(100) < lost_percent;
    if (is_lost && rng.Uniform(2) == 0) continue;
    if (!early[client].has_value()) {
      early[client] = Model::Apply(state, call.operation);
    }
    if (is_lost) continue;
    call.result = early[client];
    if (rng.Uniform(100) < wrong_percent) {
      call.result = RandomResult(Model(), call.operation, rng);
    }
    call.returned = events++;
  }
  return calls;
}

// Lets them happen in a history.
template <typename Model>
void Replay(const Calls<Model>& calls, History<Model>& history) {
  std::map<std::uint64_t, std::size_t> events;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    events[calls[i].called] = i;
    if (calls[i].result.has_value()) events[calls[i].returned] = i;
  }
  std::map<std::size_t, typename History<Model>::Pending> pending;
  for (const auto& [at, i] : events) {
    if (at == calls[i].called) {
      pending.emplace(i, history.Begin(i, calls[i].operation));
    } else {
      pending.at(i).End(*calls[i].result);
    }
  }
}

template <typename Model>
Linearizability Decide(const Calls<Model>& calls, HistoryOptions options = {}) {
  History<Model> history("h", options);
  Replay(calls, history);
  return history.Decide();
}

// The operations with numbers in `with`, as they were, and those in `unknown`
// with their outcomes forgotten.
template <typename Model>
Calls<Model> Select(const Calls<Model>& calls,
                    const std::vector<std::size_t>& with,
                    const std::vector<std::size_t>& unknown) {
  Calls<Model> some;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (std::find(with.begin(), with.end(), i) != with.end()) {
      some.push_back(calls[i]);
    } else if (std::find(unknown.begin(), unknown.end(), i) != unknown.end()) {
      some.push_back(calls[i]);
      some.back().result.reset();
      some.back().returned = internal::kNever;
    }
  }
  return some;
}

std::vector<std::size_t> Without(std::vector<std::size_t> from,
                                 std::size_t one) {
  from.erase(std::find(from.begin(), from.end(), one));
  return from;
}

std::vector<std::size_t> With(std::vector<std::size_t> to, std::size_t one) {
  to.push_back(one);
  return to;
}

// Checks that a contradiction is what it is said to be, by definition.
template <typename Model>
void ExpectIsMinimal(const Calls<Model>& calls, const Linearizability& result) {
  std::vector<std::size_t> all(calls.size());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_TRUE(result.minimal);
  ASSERT_THAT(result.part, Not(IsEmpty()));
  EXPECT_FALSE(IsLinearizableByDefinition(Select(calls, result.part, all)))
      << "it is no contradiction";
  const auto each_is_needed = [&](const std::vector<std::size_t>& context) {
    return std::all_of(
        result.part.begin(), result.part.end(), [&](std::size_t one) {
          return IsLinearizableByDefinition(
              Select(calls, Without(result.part, one), With(context, one)));
        });
  };
  EXPECT_TRUE(each_is_needed(all)) << "some of the part can be left out";
  EXPECT_TRUE(each_is_needed(result.context)) << "the context lacks some";
  for (const std::size_t one : result.context) {
    EXPECT_FALSE(each_is_needed(Without(result.context, one)))
        << one << " is not needed in the context";
  }
}

template <typename Model>
class RandomHistoryTest : public testing::Test {};
using Models = testing::Types<Register, Fifo, Set>;
TYPED_TEST_SUITE(RandomHistoryTest, Models);

TYPED_TEST(RandomHistoryTest, TheVerdictIsThatOfTheDefinition) {
  int linearizable = 0;
  int with_unknown = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Rng rng(seed);
    const Calls<TypeParam> calls =
        RandomCalls<TypeParam>(rng, 1 + rng.Uniform(6), 1 + rng.Uniform(4),
                               /*wrong_percent=*/40, /*lost_percent=*/15);
    const bool expected = IsLinearizableByDefinition(calls);
    const Linearizability result = Decide(calls);
    ASSERT_EQ(result.verdict,
              expected ? Verdict::kLinearizable : Verdict::kNotLinearizable)
        << "seed " << seed << "\n"
        << result.explanation;
    linearizable += expected;
    with_unknown +=
        std::any_of(calls.begin(), calls.end(),
                    [](const auto& call) { return !call.result.has_value(); });
  }
  // It was not all the same.
  EXPECT_GT(linearizable, 2'000);
  EXPECT_LT(linearizable, 8'000);
  EXPECT_GT(with_unknown, 2'000);
}

TYPED_TEST(RandomHistoryTest, OfAContradictionEachOperationIsNeeded) {
  int contradictions = 0;
  for (std::uint64_t seed = 0; contradictions < 300; ++seed) {
    Rng rng(seed);
    const Calls<TypeParam> calls =
        RandomCalls<TypeParam>(rng, 6, 1 + rng.Uniform(4),
                               /*wrong_percent=*/20, /*lost_percent=*/10);
    const Linearizability result = Decide(calls);
    if (result.verdict == Verdict::kLinearizable) continue;
    ++contradictions;
    ExpectIsMinimal(calls, result);
    if (this->HasFailure()) {
      FAIL() << "seed " << seed << "\n" << result.explanation;
    }
  }
}

}  // namespace
}  // namespace clotho::sim
