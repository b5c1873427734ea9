// The verdict of History against the literal definition, and its explanation of
// a history that has no order.

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
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/history_text.h"
#include "clotho/sim/report/linearize.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
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

// The result of a Put carries no information.
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

struct FifoQueue {
  using State = std::deque<int>;
  using Operation = std::variant<Enqueue, Dequeue>;
  // Of a Dequeue: none if the queue is empty.
  using Result = std::optional<int>;
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

// Whether the item was new, was present, is present.
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

// ---- Random histories, and the definition. ----

template <typename Model>
struct Call {
  typename Model::Operation operation;
  std::optional<typename Model::Result> result;
  std::uint64_t called = 0;
  std::uint64_t returned = internal::kNever;
};

template <typename Model>
using Calls = std::vector<Call<Model>>;

// Tries all orders of all completed operations and of each subset of the
// others.
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
FifoQueue::Operation RandomOperation(FifoQueue, Rng& rng) {
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

// Replaces a result at random. It may still be right.
Register::Result RandomResult(Register, const Register::Operation& operation,
                              Rng& rng) {
  if (std::holds_alternative<Put>(operation)) return std::monostate();
  return static_cast<int>(rng.Uniform(3));
}
FifoQueue::Result RandomResult(FifoQueue, const FifoQueue::Operation& operation,
                               Rng& rng) {
  const int item = static_cast<int>(rng.Uniform(4));
  if (std::holds_alternative<Enqueue>(operation) || item == 3) {
    return std::nullopt;
  }
  return item;
}
Set::Result RandomResult(Set, const Set::Operation&, Rng& rng) {
  return rng.Uniform(2) == 0;
}

// Operations of some clients on an object, each of which takes effect at its
// call or at its return. Some calls and returns are lost; some results are
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

// Replays them in a history.
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

// The operations with numbers in `with`, unchanged, and those in `unknown`
// without their outcomes.
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

// Checks by definition that a contradiction is what it claims to be.
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
using Models = testing::Types<Register, FifoQueue, Set>;
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
  // Both verdicts occur often.
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

// ---- Textbook histories. ----

// Written as they are drawn: one line per client, from left to right; an
// operation lasts from '[' to ']', or to the end.
//
//   "[Put 1  ]  [Get 1]"
Calls<Register> Drawn(const std::vector<std::string>& clients) {
  Calls<Register> calls;
  for (std::size_t client = 0; client < clients.size(); ++client) {
    const std::string& line = clients[client];
    for (std::size_t at = line.find('['); at != line.npos;
         at = line.find('[', at + 1)) {
      // No two events happen in the same column.
      const auto moment = [&](std::size_t column) {
        return column * clients.size() + client;
      };
      const int value = line[at + 5] - '0';
      Call<Register> call;
      call.called = moment(at);
      const bool is_put = line[at + 1] == 'P';
      if (is_put) {
        call.operation = Put{value};
      } else {
        call.operation = Get{};
      }
      if (const std::size_t end = line.find(']', at); end != line.npos) {
        call.returned = moment(end);
        call.result = Register::Result();
        if (!is_put) call.result = value;
      }
      calls.push_back(call);
    }
  }
  std::sort(calls.begin(), calls.end(),
            [](const auto& a, const auto& b) { return a.called < b.called; });
  return calls;
}

Verdict VerdictOf(const std::vector<std::string>& clients) {
  const Calls<Register> calls = Drawn(clients);
  const Verdict verdict = Decide(calls).verdict;
  EXPECT_EQ(verdict == Verdict::kLinearizable,
            IsLinearizableByDefinition(calls));
  return verdict;
}

TEST(HistoryTest, TextbookRegisters) {
  EXPECT_EQ(VerdictOf({}), Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf({"[Get 0]"}), Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf({"[Get 1]"}), Verdict::kNotLinearizable);
  // A read during a write may see the old value or the new one,
  EXPECT_EQ(VerdictOf({"[Put 1         ]",  //
                       "   [Get 0]      "}),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf({"[Put 1         ]",  //
                       "   [Get 1]      "}),
            Verdict::kLinearizable);
  // but not the new one and then the old one,
  EXPECT_EQ(VerdictOf({"[Put 1              ]",  //
                       "  [Get 1]  [Get 0]   "}),
            Verdict::kNotLinearizable);
  // not even if another client reads it.
  EXPECT_EQ(VerdictOf({"[Put 1              ]",  //
                       "  [Get 1]            ",  //
                       "           [Get 0]   "}),
            Verdict::kNotLinearizable);
  EXPECT_EQ(VerdictOf({"[Put 1              ]",  //
                       "  [Get 1     ]       ",  //
                       "           [Get 0]   "}),
            Verdict::kLinearizable);
  // Sequentially consistent but not linearizable.
  EXPECT_EQ(VerdictOf({"[Put 1]                  ",  //
                       "         [Put 2]         ",  //
                       "                  [Get 1]"}),
            Verdict::kNotLinearizable);
  // Two clients see two writes in different orders.
  EXPECT_EQ(VerdictOf({"[Put 1                     ]",  //
                       " [Put 2                    ]",  //
                       "  [Get 1]      [Get 2]      ",  //
                       "         [Get 2]      [Get 1"}),
            Verdict::kLinearizable);  // The last one has not returned.
  EXPECT_EQ(VerdictOf({"[Put 1                            ]",  //
                       " [Put 2                           ]",  //
                       "  [Get 1]        [Get 2]           ",  //
                       "         [Get 2]        [Get 1]    "}),
            Verdict::kNotLinearizable);
}

TEST(HistoryTest, WhatHasNotReturnedMayHappenLaterOrNever) {
  EXPECT_EQ(VerdictOf({"[Put 1                    ",  //
                       "        [Get 0]           "}),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf({"[Put 1                    ",  //
                       "        [Get 0]  [Get 1]  "}),
            Verdict::kLinearizable);
  // But not twice,
  EXPECT_EQ(VerdictOf({"[Put 1                             ",  //
                       "  [Get 1] [Put 2] [Get 2] [Get 1]  "}),
            Verdict::kNotLinearizable);
  // and not before it was called.
  EXPECT_EQ(VerdictOf({"          [Put 1         ",  //
                       " [Get 1]                 "}),
            Verdict::kNotLinearizable);
}

TEST(HistoryTest, TextbookQueue) {
  // Herlihy and Wing, 1990, section 1: x and y are enqueued concurrently, and
  // each may be first.
  for (const bool x_first : {true, false}) {
    History<FifoQueue> history("q");
    auto x = history.Begin("A", Enqueue{1});
    auto y = history.Begin("B", Enqueue{2});
    x.End(std::nullopt);
    y.End(std::nullopt);
    history.Begin("A", Dequeue{}).End(x_first ? 1 : 2);
    history.Begin("B", Dequeue{}).End(x_first ? 2 : 1);
    EXPECT_EQ(history.Decide().verdict, Verdict::kLinearizable);
  }
  // Not if one of them returned before the other was called.
  History<FifoQueue> history("q");
  history.Begin("A", Enqueue{1}).End(std::nullopt);
  history.Begin("B", Enqueue{2}).End(std::nullopt);
  history.Begin("B", Dequeue{}).End(2);
  EXPECT_EQ(history.Decide().verdict, Verdict::kNotLinearizable);
}

// ---- Explanations. ----

TEST(HistoryTest, AStaleReadIsDrawn) {
  History<Register> history("kv");
  auto put = history.Begin(0, Put{1});
  history.Begin(1, Get{}).End(1);
  history.Begin("reader", Get{}).End(1);
  history.Begin(1, Get{}).End(0);
  put.End(std::monostate());
  history.Begin(1, Put{7}).End(std::monostate());
  const Linearizability result = history.Decide();
  EXPECT_EQ(result.verdict, Verdict::kNotLinearizable);
  EXPECT_EQ(result.explanation,
            "History \"kv\" is not linearizable (2 of 3 operations fit)\n"
            "c0      :. Put(1) ...........:\n"
            "reader   |Get -> 1|\n"
            "c1                 |Get -> 0|  <- no order explains this\n"
            "after [Put(1), Get -> 1] the model holds 1; Get must return 1\n"
            "dotted: when it took effect and what it returned do not matter\n"
            "(2 other operations do not matter)");
  EXPECT_THAT(result.part, ElementsAre(2, 3));
  EXPECT_THAT(result.context, ElementsAre(0));
  EXPECT_TRUE(result.minimal);
}

TEST(HistoryTest, TheShortestPartIsShown) {
  History<Register> history("kv");
  history.Begin(0, Put{1}).End(std::monostate());
  history.Begin(1, Get{}).End(1);
  history.Begin(2, Get{}).End(1);
  history.Begin(1, Get{}).End(0);
  const Linearizability result = history.Decide();
  EXPECT_EQ(result.explanation,
            "History \"kv\" is not linearizable (1 of 2 operations fit)\n"
            "c0  |Put(1)|\n"
            "c1          |Get -> 0|  <- no order explains this\n"
            "after [Put(1)] the model holds 1; Get must return 1\n"
            "(2 other operations do not matter)");
  EXPECT_THAT(result.part, ElementsAre(0, 3));
  EXPECT_THAT(result.context, IsEmpty());
}

TEST(HistoryTest, LabelsThatDoNotFitStandBeside) {
  History<FifoQueue> history("q");
  history.Begin(0, Enqueue{1}).End({});
  history.Begin(1, Dequeue{}).End(1);
  history.Begin(0, Enqueue{2}).End({});
  auto enqueue = history.Begin(0, Enqueue{3});
  history.Begin(0, Enqueue{4}).End({});
  enqueue.End({});
  history.Begin(1, Dequeue{}).End(2);
  const auto lost = history.Begin(0, Enqueue{5});
  history.Begin(1, Dequeue{}).End(4);
  history.Begin(1, Dequeue{}).End(5);
  history.Begin(1, Dequeue{}).End(std::nullopt);
  const Linearizability result = history.Decide();
  EXPECT_EQ(
      result.explanation,
      "History \"q\" is not linearizable (7 of 9 operations fit)\n"
      "c0  Enqueue(1) -> none  :.:\n"
      "c1  Dequeue -> 1            |-|\n"
      "c0  Enqueue(2) -> none          |-|\n"
      "c0  Enqueue(3) -> none              |-----|\n"
      "c0  Enqueue(4) -> none                :.:\n"
      "c1  Dequeue -> 2                            :.:\n"
      "c0  Enqueue(5) -> ?                             :.........>\n"
      "c1  Dequeue -> 4                                  |-|\n"
      "c1  Dequeue -> 5                                      |-|  <- no order "
      "explains this\n"
      "after [... 2 more, Enqueue(2) -> none, Enqueue(4), Enqueue(3) -> none, "
      "Dequeue, Dequeue ->\n"
      "  4] the model holds [3]; Dequeue must return 3\n"
      "dotted: when it took effect and what it returned do not matter\n"
      "(1 other operation does not matter)");
}

TEST(HistoryTest, AtFirstTheModelHoldsItsInitialState) {
  History<Set> history("set");
  history.Begin(0, Contains{4}).End(true);
  EXPECT_EQ(history.Decide().explanation,
            "History \"set\" is not linearizable (0 of 1 operation fits)\n"
            "c0  |Contains(4) -> true|  <- no order explains this\n"
            "at first the model holds {}; Contains(4) must return false");
}

// Fits into a report, however long the contradiction is.
TEST(HistoryTest, LongContradictionsAreCutShort) {
  History<FifoQueue> history("a queue with quite a long name");
  for (int i = 0; i < 30; ++i) {
    history.Begin("producer with a name", Enqueue{1'000'000 + i}).End({});
    history.Begin("consumer with a name", Dequeue{}).End(1'000'000 + i);
  }
  history.Begin(0, Enqueue{1}).End({});
  history.Begin(0, Enqueue{2}).End({});
  history.Begin(0, Dequeue{}).End(2);
  const std::string text = history.Decide().explanation;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_THAT(lines, SizeIs(Le(22)));
  EXPECT_THAT(lines, Each(SizeIs(Le(92)))) << text;
  EXPECT_THAT(text, AllOf(HasSubstr(" earlier ones)"),
                          HasSubstr("<- no order explains this"),
                          HasSubstr("Dequeue must return 1\n")));
}

// ---- Scale. ----

TEST(HistoryTest, WithoutEnoughStepsItIsUnknown) {
  for (const bool is_wrong : {false, true}) {
    History<Register> history("kv", {.steps_max = 10});
    std::deque<History<Register>::Pending> gets;
    for (int i = 0; i < 8; ++i) {
      history.Begin(i, Put{i}).End(std::monostate());
      gets.push_back(history.Begin(i, Get{}));
    }
    for (auto& get : gets) get.End(is_wrong ? 8 : 7);
    const Linearizability result = history.Decide();
    EXPECT_EQ(result.verdict, Verdict::kUnknown);
    EXPECT_GT(result.steps, 10u);
    EXPECT_LT(result.steps, 30u);
    EXPECT_EQ(
        result.explanation,
        "History \"kv\" is undecided (16 operations): 10 steps were not enough "
        "to find an order of\n  its operations, or that there is none\n"
        "(a test that needs more says so: sim::HistoryOptions{.steps_max = "
        "...})");
    EXPECT_THROW(history.Check(), RuntimeError);
  }
}

struct PutAt {
  int key;
  int value;
};
struct GetAt {
  int key;
};
std::ostream& operator<<(std::ostream& out, const PutAt& put) {
  return out << "Put(" << put.key << ", " << put.value << ")";
}
std::ostream& operator<<(std::ostream& out, const GetAt& get) {
  return out << "Get(" << get.key << ")";
}

// Independent registers.
struct Registers {
  using State = int;
  using Operation = std::variant<PutAt, GetAt>;
  using Result = std::variant<std::monostate, int>;
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* const put = std::get_if<PutAt>(&operation)) {
      state = put->value;
      return std::monostate();
    }
    return state;
  }
  static int Partition(const Operation& operation) {
    return std::visit([](const auto& on) { return on.key; }, operation);
  }
};

// The same as a single object.
struct Map {
  using State = std::map<int, int>;
  using Operation = Registers::Operation;
  using Result = Registers::Result;
  static Result Apply(State& state, const Operation& operation) {
    return Registers::Apply(state[Registers::Partition(operation)], operation);
  }
};

// `clients` clients that perform operations one after another on a store of
// `keys`. Each takes effect at its call or at its return.
template <typename Model>
void RecordStore(std::size_t operations, int keys, std::size_t clients,
                 std::uint64_t seed, History<Model>& history) {
  Rng rng(seed);
  std::map<int, int> store;
  std::vector<std::optional<typename History<Model>::Pending>> pending(clients);
  std::vector<typename Model::Operation> operation(clients);
  std::vector<std::optional<typename Model::Result>> result(clients);
  const auto apply = [&](std::size_t client) {
    result[client] = Registers::Apply(
        store[Registers::Partition(operation[client])], operation[client]);
  };
  for (std::size_t i = 0; i < operations;) {
    const std::size_t client = rng.Uniform(clients);
    if (pending[client].has_value()) {
      if (!result[client].has_value()) apply(client);
      pending[client]->End(*result[client]);
      pending[client].reset();
      continue;
    }
    const int key = static_cast<int>(rng.Uniform(keys));
    if (rng.Uniform(2) == 0) {
      operation[client] = PutAt{key, static_cast<int>(i)};
    } else {
      operation[client] = GetAt{key};
    }
    result[client].reset();
    pending[client].emplace(history.Begin(client, operation[client]));
    if (rng.Uniform(2) == 0) apply(client);
    ++i;
  }
}

TEST(HistoryTest, TenThousandOperationsOnAHundredKeys) {
  History<Registers> history("kv");
  RecordStore(10'000, /*keys=*/100, /*clients=*/10, /*seed=*/1, history);
  const Linearizability result = history.Decide();
  EXPECT_EQ(result.verdict, Verdict::kLinearizable);
  EXPECT_LT(result.steps, 50'000u);
  // One wrong read is found among them.
  history.Begin("late", GetAt{17}).End(-1);
  const Linearizability wrong = history.Decide();
  EXPECT_EQ(wrong.verdict, Verdict::kNotLinearizable);
  EXPECT_THAT(wrong.part, ElementsAre(10'000));
  EXPECT_THAT(wrong.explanation, HasSubstr("(key 17: 0 of 1 operation fits)"));
}

TEST(HistoryTest, TenThousandOperationsOnOneKey) {
  History<Registers> history("kv");
  RecordStore(10'000, /*keys=*/1, /*clients=*/10, /*seed=*/2, history);
  const Linearizability result = history.Decide();
  EXPECT_EQ(result.verdict, Verdict::kLinearizable);
  EXPECT_LT(result.steps, 1'000'000u);
}

TEST(HistoryTest, AWrongReadAtTheEndOfALongHistory) {
  History<Registers> history("kv");
  RecordStore(400, /*keys=*/1, /*clients=*/3, /*seed=*/3, history);
  history.Begin("late", GetAt{0}).End(-1);
  const Linearizability wrong = history.Decide();
  EXPECT_EQ(wrong.verdict, Verdict::kNotLinearizable);
  EXPECT_THAT(wrong.part, ElementsAre(400));
}

TEST(HistoryTest, TenThousandOperationsOneAfterTheOther) {
  History<FifoQueue> history("q");
  for (int i = 0; i < 5'000; ++i) {
    history.Begin(0, Enqueue{i}).End({});
    history.Begin(0, Dequeue{}).End(i);
  }
  const Linearizability result = history.Decide();
  EXPECT_EQ(result.verdict, Verdict::kLinearizable);
  EXPECT_EQ(result.steps, 10'000u);
}

// A set of the used ones, instead of their number, would be 2^40 cases.
TEST(HistoryTest, ManyUnknownOutcomesAreNoTrouble) {
  History<Registers> history("kv");
  for (int i = 1; i <= 40; ++i) (void)history.Begin("lost", PutAt{0, i});
  for (int i = 1; i <= 40; i += 3) {
    history.Begin("reader", GetAt{0}).End(i);
    history.Begin("reader", GetAt{0}).End(i);
  }
  EXPECT_EQ(history.Decide().verdict, Verdict::kLinearizable);
  // None of the others restores the old value.
  history.Begin("reader", GetAt{0}).End(1);
  const Linearizability result = history.Decide();
  EXPECT_EQ(result.verdict, Verdict::kNotLinearizable);
  EXPECT_LT(result.steps, 100'000u);
  EXPECT_TRUE(result.minimal);
  EXPECT_THAT(result.part, ElementsAre(41, 67, 68));
  EXPECT_THAT(result.context, ElementsAre(0, 39));
}

TEST(HistoryTest, PartitionsAreCheckedOneByOne) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    History<Registers> by_key("kv");
    History<Map> whole("kv");
    RecordStore(20, /*keys=*/3, /*clients=*/3, seed, by_key);
    RecordStore(20, /*keys=*/3, /*clients=*/3, seed, whole);
    const int key = static_cast<int>(rng.Uniform(3));
    const int value = static_cast<int>(rng.Uniform(20));
    by_key.Begin("late", GetAt{key}).End(value);
    whole.Begin("late", GetAt{key}).End(value);
    EXPECT_EQ(by_key.Decide().verdict, whole.Decide().verdict)
        << "seed " << seed;
  }
}

TEST(HistoryTest, OneWrongPartitionOutweighsAnUndecidedOne) {
  History<Registers> history("kv", {.steps_max = 3});
  for (int i = 0; i < 5; ++i) {
    history.Begin(0, PutAt{0, i}).End(std::monostate());
  }
  EXPECT_EQ(history.Decide().verdict, Verdict::kUnknown);
  EXPECT_THAT(history.Decide().explanation, HasSubstr("(key 0: 5 operations)"));
  history.Begin(0, GetAt{1}).End(5);
  EXPECT_EQ(history.Decide().verdict, Verdict::kNotLinearizable);
}

// ---- Nondeterministic models. ----

struct Flip {};
std::ostream& operator<<(std::ostream& out, const Flip&) {
  return out << "Flip";
}

// Stays, or moves by one or two, and returns its position.
struct Walk {
  using State = std::pair<int, int>;
  using Operation = Flip;
  using Result = int;
  static Result Apply(State& state, const Operation&, Alternatives& may) {
    state.first += static_cast<int>(may.Pick(2));
    if (state.first % 2 == 1) state.second += static_cast<int>(may.Pick(3));
    return state.first + 10 * state.second;
  }
};

TEST(HistoryTest, ModelsMayPick) {
  History<Walk> history("walk");
  history.Begin(0, Flip{}).End(0);
  history.Begin(0, Flip{}).End(21);
  history.Begin(0, Flip{}).End(22);
  EXPECT_EQ(history.Decide().verdict, Verdict::kLinearizable);
  history.Begin(0, Flip{}).End(11);
  EXPECT_THAT(history.Decide().explanation,
              HasSubstr("after [Flip -> 21] the model holds (1, 2); Flip must "
                        "return 21 or 31 or 41 or 22\n"));
}

TEST(AlternativesTest, SeesAllCombinations) {
  Alternatives alternatives;
  std::vector<std::string> seen;
  do {
    std::string one = absl::StrCat(alternatives.Pick(2));
    if (one == "1") absl::StrAppend(&one, alternatives.Pick(3));
    absl::StrAppend(&one, alternatives.Pick(1));
    seen.push_back(one);
  } while (alternatives.Next());
  EXPECT_THAT(seen, ElementsAre("00", "100", "110", "120"));
  // Then it starts over.
  EXPECT_EQ(alternatives.Pick(2), 0u);
  EXPECT_THROW(alternatives.Pick(0), ValueError);
}

// ---- Recording. ----

Coro<Register::Result> Return(int value) {
  co_await Sleep(absl::Milliseconds(2));
  co_return value;
}
Coro<Register::Result> Throw() {
  co_await Sleep(absl::Milliseconds(2));
  throw ValueError("no such key");
}

TEST(HistoryTest, DoRecordsWhenItIsAwaited) {
  std::string explanation;
  const auto body = [&explanation]() -> Coro<void> {
    History<Register> history("kv");
    Coro<Register::Result> get = history.Do(0, Get{}, Return(1));
    EXPECT_EQ(history.size(), 0u);
    const Register::Result result = co_await std::move(get);
    EXPECT_EQ(std::get<int>(result), 1);
    EXPECT_EQ(history.size(), 1u);
    explanation = history.Decide().explanation;
  };
  // Nothing has put 1.
  clotho::Run(body());  // On the real clock.
  EXPECT_THAT(explanation, HasSubstr("|Get -> 1|  <- no order"));
  EXPECT_TRUE(Explore(body, sim::Fifo()).passed());  // On the virtual one.
  EXPECT_THAT(explanation, HasSubstr("\n"
                                     "t(ms)  0        2\n"
                                     "c0     |Get -> 1|  <- no order"));
}

TEST(HistoryTest, WhatThrowsOrIsCancelledHasAnUnknownOutcome) {
  const auto body = []() -> Coro<void> {
    History<Register> history("kv");
    bool thrown = false;
    try {
      co_await history.Do(0, Put{1}, Throw());
    } catch (const ValueError&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    Task<Register::Result> put =
        CreateTask(history.Do(1, Put{2}, Return(0)), {.name = "put"});
    co_await Sleep(absl::Milliseconds(1));
    put.Cancel();
    bool cancelled = false;
    try {
      co_await put;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(history.size(), 2u);
    history.Begin(2, Get{}).End(0);
    history.Check();
    history.Begin(2, Get{}).End(2);
    history.Begin(2, Get{}).End(1);
    history.Check();
    history.Begin(2, Get{}).End(2);  // It happens once.
    EXPECT_EQ(history.Decide().verdict, Verdict::kNotLinearizable);
  };
  clotho::Run(body());
}

TEST(HistoryTest, DoTakesWhatReturnsNothing) {
  const auto body = []() -> Coro<void> {
    History<Register> history("kv");
    co_await history.Do(0, Put{1}, Sleep(absl::Milliseconds(1)));
    history.Begin(0, Get{}).End(0);
    EXPECT_EQ(history.Decide().verdict, Verdict::kNotLinearizable);
  };
  clotho::Run(body());
}

TEST(HistoryTest, WhatIsDiscardedDoesNotCount) {
  History<Register> history("kv");
  history.Begin(0, Put{1}).Discard();
  history.Begin(0, Get{}).End(1);
  EXPECT_EQ(history.size(), 2u);
  EXPECT_EQ(history.Decide().verdict, Verdict::kNotLinearizable);
}

TEST(HistoryTest, AnOperationEndsOnce) {
  History<Register> history("kv");
  auto get = history.Begin(0, Get{});
  get.End(0);
  EXPECT_THROW(get.End(0), RuntimeError);
  EXPECT_THROW(get.Discard(), RuntimeError);
  auto put = history.Begin(0, Put{1});
  auto moved = std::move(put);
  moved.End(std::monostate());
  EXPECT_THROW(moved.End(std::monostate()), RuntimeError);
}

TEST(HistoryTest, OperationsMayOutliveTheirHistory) {
  std::optional<History<Register>> history("kv");
  auto get = history->Begin(0, Get{});
  history.reset();
  get.End(3);
}

TEST(HistoryTest, OutsideOfASimulationCheckThrows) {
  History<Register> history("kv");
  history.Check();
  history.Begin(0, Get{}).End(3);
  try {
    history.Check();
    FAIL() << "passed";
  } catch (const RuntimeError& error) {
    EXPECT_EQ(error.what(), history.Decide().explanation);
  }
}

TEST(HistoryTest, VerdictsHaveNames) {
  EXPECT_EQ(testing::PrintToString(Verdict::kLinearizable), "linearizable");
  EXPECT_EQ(testing::PrintToString(Verdict::kNotLinearizable),
            "not linearizable");
  EXPECT_EQ(testing::PrintToString(Verdict::kUnknown), "unknown");
}

enum class Color { kRed = 3 };

TEST(HistoryTextTest, ValuesArePrintedPartByPart) {
  using internal::ToText;
  EXPECT_EQ(ToText(std::monostate()), "");
  EXPECT_EQ(ToText(true), "true");
  EXPECT_EQ(ToText(1.5), "1.5");
  EXPECT_EQ(ToText(std::string("x")), "x");
  EXPECT_EQ(ToText("y"), "y");
  EXPECT_EQ(ToText(Color::kRed), "3");
  EXPECT_EQ(ToText(std::optional<int>()), "none");
  EXPECT_EQ(ToText(std::optional<int>(4)), "4");
  EXPECT_EQ(ToText(Register::Operation(Put{2})), "Put(2)");
  EXPECT_EQ(ToText(std::pair<int, std::string>(1, "a")), "(1, a)");
  EXPECT_EQ(ToText(std::tuple<>()), "()");
  EXPECT_EQ(ToText(std::vector<bool>{true, false}), "[true, false]");
  EXPECT_EQ(ToText(std::deque<std::optional<int>>{1, std::nullopt}),
            "[1, none]");
  EXPECT_EQ(ToText(std::set<int>{2, 1}), "{1, 2}");
  EXPECT_EQ(ToText(std::map<std::string, int>{{"b", 2}, {"a", 1}}),
            "{a=1, b=2}");
}

// ---- In a simulation. ----

// A remote value, and a cache in front of it.
class Store {
 public:
  explicit Store(bool is_right) : is_right_(is_right) {}

  Coro<Register::Result> Put(int value) {
    co_await Sleep(absl::Milliseconds(1));
    value_ = value;
    ++version_;
    cache_.reset();
    co_await Sleep(absl::Milliseconds(1));
    co_return std::monostate();
  }

  Coro<Register::Result> Get() {
    if (!cache_.has_value()) {
      co_await Sleep(absl::Milliseconds(1));
      const int value = value_;
      const int version = version_;
      co_await Sleep(absl::Milliseconds(1));
      // A write may have emptied the cache, and this value is older.
      if (is_right_ && version != version_) co_return value;
      cache_ = value;
    }
    co_return *cache_;
  }

 private:
  const bool is_right_;
  int value_ = 0;
  int version_ = 0;
  std::optional<int> cache_;
};

Coro<void> UseStore(bool is_right) {
  Store store(is_right);
  History<Register> history("kv");
  const auto writer = [&]() -> Coro<void> {
    co_await history.Do("writer", Put{1}, store.Put(1));
  };
  const auto reader = [&]() -> Coro<void> {
    for (int i = 0; i < 2; ++i) {
      co_await history.Do("reader", Get{}, store.Get());
      co_await Sleep(absl::Milliseconds(1));
    }
  };
  Task<void> one = CreateTask(writer(), {.name = "writer"});
  Task<void> other = CreateTask(reader(), {.name = "reader"});
  co_await one;
  co_await other;
  history.Check();
}

TEST(HistoryTest, AnExplorationFindsAndExplainsAStaleRead) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto body = [] { return UseStore(false); };
    const Report report =
        Explore(body, Random{.schedules = 1'000, .seed = seed});
    ASSERT_FALSE(report.passed()) << "seed " << seed;
    EXPECT_EQ(report.failure()->kind, FailureKind::kHistory);
    EXPECT_EQ(FailureKindName(report.failure()->kind), "not linearizable");
    EXPECT_EQ(report.failure()->signature, "not linearizable kv");
    EXPECT_EQ(report.failure()->task, "main");
    EXPECT_NE(report.verdict(), Report::Verdict::kNondeterministic);
    EXPECT_TRUE(report.shrinking.minimal);
    EXPECT_THAT(
        report.Text(),
        AllOf(HasSubstr("WHAT      History \"kv\" is not linearizable "
                        "(1 of 2 operations fit)\n"),
              HasSubstr("          after [Put(1)] the model holds 1; Get "
                        "must return 1\n"),
              HasSubstr("          t(ms)   0      2 3\n"
                        "          writer  |Put(1)|\n"
                        "          reader           |Get -> 0|  <- no "
                        "order explains this\n")));
    EXPECT_THAT(report.failure()->file, EndsWith("sim/history_test.cc"));
  }
}

TEST(HistoryTest, AnExplorationOfTheRightStoreIsSilent) {
  const auto body = [] { return UseStore(true); };
  const Report report = Explore(body, Random{.schedules = 3'000});
  EXPECT_TRUE(report.passed()) << report;
}

TEST(HistoryTest, AnUndecidedHistoryFailsTheExecution) {
  const auto body = []() -> Coro<void> {
    History<Register> history("kv", {.steps_max = 1});
    history.Begin(0, Put{1}).End(std::monostate());
    history.Begin(0, Put{2}).End(std::monostate());
    history.Begin(0, Put{3}).End(std::monostate());
    history.Check();
    co_return;
  };
  const Report report = Explore(body);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->signature, "undecided kv");
}

}  // namespace
}  // namespace clotho::sim
