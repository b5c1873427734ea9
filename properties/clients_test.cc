// Clients: finds a seeded bug, and accepts the corrected code.

#include "clotho/properties/clients.h"

#include <ostream>
#include <stdexcept>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "clotho/properties/property.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {

struct Add {
  int amount = 0;
};
struct Get {};

std::ostream& operator<<(std::ostream& out, const Add& add) {
  return out << "Add(" << add.amount << ")";
}
std::ostream& operator<<(std::ostream& out, const Get&) { return out << "Get"; }

}  // namespace clotho::properties

namespace rc {

template <>
struct Arbitrary<clotho::properties::Add> {
  static Gen<clotho::properties::Add> arbitrary() {
    using clotho::properties::Add;
    return gen::build<Add>(gen::set(&Add::amount, gen::inRange(1, 10)));
  }
};

template <>
struct Arbitrary<clotho::properties::Get> {
  static Gen<clotho::properties::Get> arbitrary() {
    return gen::just(clotho::properties::Get());
  }
};

}  // namespace rc

namespace clotho::properties {
namespace {

using sim::FailureKind;
using sim::FormatReplay;
using sim::Report;
using testing::HasSubstr;

struct CounterModel {
  using State = int;
  using Operation = std::variant<Get, Add>;
  using Result = int;
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* const add = std::get_if<Add>(&operation)) {
      state += add->amount;
    }
    return state;
  }
};

// A counter on a slow disk.
class SlowCounter {
 public:
  Coro<int> Get() {
    co_await Sleep(absl::Milliseconds(1));
    co_return value_;
  }

  // Loses concurrent additions.
  Coro<int> Add(int amount) {
    const int before = co_await Get();
    co_await Sleep(absl::Milliseconds(1));
    value_ = before + amount;
    co_return value_;
  }

  Coro<int> AddSafely(int amount) {
    const auto locked = co_await lock_.Acquire();
    co_return co_await Add(amount);
  }

 private:
  int value_ = 0;
  Lock lock_;
};

template <bool kSafely>
Coro<void> IsLinearizable(const Clients<CounterModel>& clients) {
  SlowCounter counter;
  co_await clients.Run(
      "counter", [&](const CounterModel::Operation& operation) -> Coro<int> {
        const auto* const add = std::get_if<Add>(&operation);
        if (add == nullptr) return counter.Get();
        return kSafely ? counter.AddSafely(add->amount)
                       : counter.Add(add->amount);
      });
}

TEST(ClientsTest, ALostUpdateIsFoundAndShrunkToTwoOperations) {
  const Report report =
      Check(&IsLinearizable<false>, sim::Random{.schedules = 20});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->kind, FailureKind::kHistory);
  EXPECT_THAT(report.input.values, HasSubstr(" =\n  c0: Add(1)\n  c1: Add(1)"))
      << report;
  EXPECT_THAT(report.input.values, testing::Not(HasSubstr("first")));
  const auto again =
      Replay(&IsLinearizable<false>, FormatReplay(report.replay));
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_FALSE(again->passed());
  EXPECT_EQ(again->failure()->what, report.failure()->what);
}

CLOTHO_PROPERTY(ClientsTest, ALockedCounterIsLinearizable,
                (const Clients<CounterModel>& clients),
                sim::Fuzz{.schedules = 20}) {
  RC_TAG(clients.clients.size());
  co_await IsLinearizable<true>(clients);
}

Coro<void> RunsThatThrow(const Clients<CounterModel>& clients, bool later) {
  SlowCounter counter;
  int thrown = 0;
  try {
    co_await clients.Run(
        "counter", [&](const CounterModel::Operation& operation) -> Coro<int> {
          if (!std::holds_alternative<Add>(operation)) {
            co_return co_await counter.Get();
          }
          if (later) co_await Sleep(absl::Milliseconds(1));
          ++thrown;
          throw std::runtime_error("the disk is full");
        });
    Always(thrown == 0, "an exception comes out");
  } catch (const std::exception&) {
    Always(thrown > 0, "nothing else comes out");
  }
}

TEST(ClientsTest, AnExceptionComesOutWhenAllHaveEnded) {
  const Report report = Check(&RunsThatThrow, sim::Random{.schedules = 10});
  EXPECT_TRUE(report.passed()) << report;
}

TEST(ClientsTest, ACancellationEndsTheClients) {
  const Report report = sim::Explore(
      []() -> Coro<void> {
        SlowCounter counter;
        const Clients<CounterModel> clients = {
            .first = {Get{}}, .clients = {{Get{}, Get{}}, {Get{}}}};
        for (int ms = 0; ms < 5; ++ms) {
          Task<void> task = CreateTask(clients.Run(
              "counter", [&](const CounterModel::Operation&) -> Coro<int> {
                return counter.Get();
              }));
          co_await Sleep(absl::Milliseconds(ms));
          if (!task.Cancel()) continue;
          try {
            co_await task;
          } catch (const CancelledError&) {
          }
          Always(AllTasks().size() == 1, "no client is left");
        }
      },
      sim::Random{.schedules = 100});
  EXPECT_TRUE(report.passed()) << report;
}

TEST(ClientsTest, GeneratorsHaveTheirLimits) {
  EXPECT_TRUE(rc::check([](Clients<CounterModel> clients) {
    RC_ASSERT(clients.first.size() <= 3);
    RC_ASSERT(clients.clients.size() <= 3);
    for (const auto& operations : clients.clients) {
      RC_ASSERT(operations.size() <= 5);
    }
  }));
}

}  // namespace
}  // namespace clotho::properties
