// The guided strategy: which handoffs it sees, what it keeps, and that it
// advances step by step.

#include "clotho/sim/strategies/guided.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/by_name.h"
#include "clotho/sim/strategies/replay.h"
#include "clotho/sim/tracked.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

auto Give() { return Sleep(absl::ZeroDuration()); }

// ---- Handoffs. ----

// Follows a schedule, and collects the handoffs.
class Collector final : public Strategy {
 public:
  Collector(const Deviations& deviations, std::set<std::uint64_t>* told)
      : replay_(deviations), told_(told) {}

  void BeginExecution(Rng& rng) override { replay_.BeginExecution(rng); }
  std::size_t Choose(const ChoicePoint& point) override {
    return replay_.Choose(point);
  }
  bool wants_handoffs() const override { return true; }
  void HandedOver(std::uint64_t handoff) override { told_->insert(handoff); }

 private:
  ReplayStrategy replay_;
  std::set<std::uint64_t>* const told_;
};

std::set<std::uint64_t> HandoffsOf(const Body& body,
                                   const Deviations& deviations = {}) {
  std::set<std::uint64_t> told;
  const Report report = Explore(
      body,
      CustomStrategy{
          .make_strategy =
              [&] { return std::make_unique<Collector>(deviations, &told); },
          .schedules = 1});
  EXPECT_TRUE(report.passed()) << report;
  return told;
}

Coro<void> Alone() {
  Tracked<int> value{"value", 0};
  Lock lock;
  for (int i = 0; i < 3; ++i) {
    Lock::Guard guard = co_await lock.Acquire();
    value.Write() = value.Read() + 1;
    co_await Give();
  }
  Future<void> future;
  future.SetResult();
  co_await future;
}

TEST(HandoffTest, NobodyHandsOverToHimself) {
  // The first read is of something that was never written.
  EXPECT_THAT(HandoffsOf(Alone), SizeIs(1));
}

Coro<void> WriteThenRead() {
  Tracked<int> value{"value", 0};
  const auto writer = [](Tracked<int>& v) -> Coro<void> {
    v.Write() = 1;
    co_return;
  };
  const auto reader = [](Tracked<int>& v) -> Coro<void> {
    v.Read();
    co_return;
  };
  Task<void> a = CreateTask(writer(value));
  Task<void> b = CreateTask(reader(value));
  co_await a;
  co_await b;
}

TEST(HandoffTest, OfTrackedStateTheOrderCounts) {
  const std::set<std::uint64_t> fifo = HandoffsOf(WriteThenRead);
  const std::set<std::uint64_t> other =
      HandoffsOf(WriteThenRead, {{.step = 2, .choice = 1}});
  EXPECT_NE(fifo, other);
  EXPECT_EQ(fifo, HandoffsOf(WriteThenRead));
}

Coro<void> Hold(Lock& lock) {
  Lock::Guard guard = co_await lock.Acquire();
  co_await Give();
}

Coro<void> TwoHolders() {
  Lock lock;
  Task<void> a = CreateTask(Hold(lock));
  Task<void> b = CreateTask(Hold(lock));
  co_await a;
  co_await b;
}

// Each task has its own lock, one after the other, often at the same address.
Coro<void> OneAfterTheOther() {
  const auto alone = []() -> Coro<void> {
    auto lock = std::make_unique<Lock>();
    co_await Hold(*lock);
  };
  for (int i = 0; i < 2; ++i) {
    Task<void> task = CreateTask(alone());
    co_await task;
  }
}

TEST(HandoffTest, OfALockItIsFromReleaseToAcquire) {
  // In addition to the handoffs from tasks to those that await them.
  const auto none = []() -> Coro<void> {
    Lock first;
    Lock second;
    Task<void> a = CreateTask(Hold(first));
    Task<void> b = CreateTask(Hold(second));
    co_await a;
    co_await b;
  };
  EXPECT_GT(HandoffsOf(TwoHolders).size(), HandoffsOf(none).size());
}

TEST(HandoffTest, AnotherObjectAtTheSameAddressIsAnother) {
  const auto one = []() -> Coro<void> {
    const auto alone = []() -> Coro<void> {
      auto lock = std::make_unique<Lock>();
      co_await Hold(*lock);
    };
    Task<void> task = CreateTask(alone());
    co_await task;
  };
  EXPECT_EQ(HandoffsOf(OneAfterTheOther).size(), HandoffsOf(one).size());
}

TEST(HandoffTest, QueuesEventsSemaphoresAndFuturesHandoff) {
  const auto through = [](auto give, auto take) {
    return [give, take]() -> Coro<void> {
      struct Shared {
        Queue<int> queue;
        Event event;
        Semaphore semaphore{0};
        Future<void> future;
      } shared;
      Task<void> taker = CreateTask(
          take(shared.queue, shared.event, shared.semaphore, shared.future));
      Task<void> giver = CreateTask(
          give(shared.queue, shared.event, shared.semaphore, shared.future));
      co_await taker;
      co_await giver;
    };
  };
  using Q = Queue<int>&;
  const auto idle = [](Q, Event&, Semaphore&, Future<void>) -> Coro<void> {
    co_await Give();
  };
  const std::size_t none = HandoffsOf(through(idle, idle)).size();
  EXPECT_GT(
      HandoffsOf(through([](Q q, Event&, Semaphore&,
                            Future<void>) -> Coro<void> { co_await q.Put(1); },
                         [](Q q, Event&, Semaphore&,
                            Future<void>) -> Coro<void> { co_await q.Get(); }))
          .size(),
      none);
  EXPECT_GT(
      HandoffsOf(through(
                     [](Q, Event& e, Semaphore&, Future<void>) -> Coro<void> {
                       e.Set();
                       co_return;
                     },
                     [](Q, Event& e, Semaphore&, Future<void>) -> Coro<void> {
                       co_await e.Wait();
                       // The flag, not only the waking.
                       EXPECT_TRUE(e.IsSet());
                     }))
          .size(),
      none);
  EXPECT_GT(
      HandoffsOf(through(
                     [](Q, Event&, Semaphore& s, Future<void>) -> Coro<void> {
                       s.Release();
                       co_return;
                     },
                     [](Q, Event&, Semaphore& s, Future<void>) -> Coro<void> {
                       Semaphore::Guard guard = co_await s.Acquire();
                     }))
          .size(),
      none);
  EXPECT_GT(
      HandoffsOf(through(
                     [](Q, Event&, Semaphore&, Future<void> f) -> Coro<void> {
                       f.SetResult();
                       co_return;
                     },
                     [](Q, Event&, Semaphore&, Future<void> f) -> Coro<void> {
                       co_await f;
                     }))
          .size(),
      none);
}

TEST(HandoffTest, WhoDoesNotAskIsNotTold) {
  class Deaf final : public Strategy {
   public:
    void BeginExecution(Rng&) override {}
    std::size_t Choose(const ChoicePoint&) override { return 0; }
    void HandedOver(std::uint64_t) override { ADD_FAILURE(); }
  };
  EXPECT_TRUE(
      Explore(TwoHolders,
              CustomStrategy{
                  .make_strategy = [] { return std::make_unique<Deaf>(); },
                  .schedules = 3})
          .passed());
}

// ---- The search. ----

// A combination lock: each of its digits must be read at the right moment, and
// the first wrong one ends the attempt. Each right one is a handoff of its own.
template <int kDigits>
Coro<void> Combination() {
  struct State {
    Tracked<int> dial{"dial", 0};
    std::vector<std::unique_ptr<Tracked<int>>> opened;
    int right = 0;
  } state;
  for (int i = 0; i < kDigits; ++i) {
    state.opened.push_back(std::make_unique<Tracked<int>>("opened", 0));
  }
  const auto turner = [](State& s) -> Coro<void> {
    for (int i = 1; i <= 4 * kDigits; ++i) {
      s.dial = i;
      co_await Give();
    }
  };
  const auto opener = [](State& s) -> Coro<void> {
    for (int i = 0; i < kDigits; ++i) {
      const int digit = s.dial;
      // The other task must advance by exactly three.
      if (digit != 3 * (i + 1)) co_return;
      s.opened[i]->Write() = digit;
      Always(i + 1 < kDigits, "nobody opens it");
      co_await Give();
    }
  };
  const auto watcher = [](State& s) -> Coro<void> {
    for (auto& opened : s.opened) opened->Read();
    co_return;
  };
  Task<void> a = CreateTask(turner(state));
  Task<void> b = CreateTask(opener(state));
  co_await a;
  co_await b;
  co_await watcher(state);
}

std::uint64_t ExecutionsToFailure(Coro<void> (*body)(),
                                  std::string_view strategy,
                                  std::uint64_t limit, std::uint64_t seed) {
  Search search;
  search.strategy = strategy;
  search.make_strategy = StrategyByName(strategy, "").value();
  search.schedules = limit;
  search.seed = seed;
  search.shrink_runs_max = 0;
  return RunSearch(body, search, "test").search.executions;
}

TEST(GuidedTest, GetsFurtherByStepsThanAtOnce) {
  constexpr std::uint64_t kLimit = 20'000;
  std::uint64_t guided = 0;
  std::uint64_t fuzz = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    guided += ExecutionsToFailure(Combination<5>, "guided", kLimit, seed);
    fuzz += ExecutionsToFailure(Combination<5>, "fuzz", kLimit, seed);
  }
  EXPECT_LT(3 * guided, fuzz) << guided << " " << fuzz;
}

TEST(GuidedTest, IsAFunctionOfTheSeed) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    EXPECT_EQ(ExecutionsToFailure(Combination<5>, "guided", 20'000, seed),
              ExecutionsToFailure(Combination<5>, "guided", 20'000, seed));
  }
}

// Exact numbers: no address, hash table order or compiler may influence them.
// (A change of FuzzStrategy may change them.)
TEST(GuidedTest, TakesTheSameWayInEveryBuild) {
  EXPECT_EQ(ExecutionsToFailure(Combination<4>, "guided", 20'000, 1), 908u);
  EXPECT_EQ(ExecutionsToFailure(Combination<4>, "guided", 20'000, 2), 2'583u);
}

// Observes from outside what it keeps.
class Watched final : public Strategy {
 public:
  struct Most {
    std::size_t kept = 0;
    std::size_t handoffs = 0;
  };
  explicit Watched(Most* most) : most_(most) {}

  std::uint64_t warm_up() const override { return guided_.warm_up(); }
  void Prepare(const Profile& profile) override { guided_.Prepare(profile); }
  void BeginExecution(Rng& rng) override { guided_.BeginExecution(rng); }
  std::size_t Choose(const ChoicePoint& point) override {
    return guided_.Choose(point);
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override {
    return guided_.ChooseValue(choice, rng);
  }
  bool wants_handoffs() const override { return true; }
  void HandedOver(std::uint64_t handoff) override {
    guided_.HandedOver(handoff);
  }
  void EndExecution() override {
    guided_.EndExecution();
    *most_ = {guided_.corpus().size(), guided_.handoffs()};
  }

 private:
  GuidedStrategy guided_;
  Most* const most_;
};

Watched::Most Watch(const Body& body, std::uint64_t schedules) {
  Watched::Most most;
  const Report report = Explore(
      body, CustomStrategy{.make_strategy =
                               [&] { return std::make_unique<Watched>(&most); },
                           .schedules = schedules});
  EXPECT_TRUE(report.passed()) << report;
  return most;
}

TEST(GuidedTest, KeepsWhatIsNewAndNothingElse) {
  const Watched::Most few = Watch(TwoHolders, 1'000);
  EXPECT_GE(few.handoffs, 1u);
  EXPECT_GE(few.kept, 1u);
  EXPECT_LE(few.kept, few.handoffs);
  EXPECT_LT(few.kept, 20u);
}

TEST(GuidedTest, HandoffsInAnotherOrderAreNew) {
  GuidedStrategy guided;
  guided.Prepare(Profile());
  Rng rng(1);
  // How many were kept after an execution with these handoffs.
  const auto kept_after = [&](std::initializer_list<std::uint64_t> handoffs) {
    guided.BeginExecution(rng);
    for (const std::uint64_t handoff : handoffs) {
      guided.HandedOver(handoff);
    }
    guided.EndExecution();
    return guided.corpus().size();
  };
  EXPECT_EQ(kept_after({11, 22, 33}), 1u);
  EXPECT_EQ(kept_after({11, 22, 33}), 1u);
  EXPECT_EQ(kept_after({11, 22}), 1u);
  EXPECT_EQ(kept_after({11, 33}), 2u);
  EXPECT_EQ(kept_after({22, 11}), 3u);
  EXPECT_EQ(kept_after({22}), 3u);
  EXPECT_EQ(kept_after({}), 3u);
  EXPECT_EQ(guided.handoffs(), 6u);  // 11, 11-22, 22-33, 11-33, 22, 22-11.
}

TEST(GuidedTest, KeepsNoMoreThanItSays) {
  // Every execution has its own objects, and so shows something new.
  const auto body = []() -> Coro<void> {
    struct State {
      std::vector<std::unique_ptr<Tracked<int>>> values;
    } state;
    for (int i = 0; i < 200; ++i) {
      state.values.push_back(std::make_unique<Tracked<int>>("value", 0));
    }
    const std::size_t which = Choose(200);
    const auto touch = [](Tracked<int>& value) -> Coro<void> {
      value.Write() = 1;
      co_return;
    };
    Task<void> task = CreateTask(touch(*state.values[which]));
    co_await task;
    state.values[which]->Read();
  };
  const Watched::Most most = Watch(body, 3'000);
  EXPECT_EQ(most.kept, 128u);
  EXPECT_GT(most.handoffs, 128u);
}

TEST(GuidedTest, DecidesForTheEnvironmentToo) {
  const auto body = []() -> Coro<void> {
    struct State {
      Tracked<int> seen{"seen", 0};
    } state;
    for (int i = 0; i < 6; ++i) {
      if (Choose(8) != 5) co_return;
      const auto write = [](Tracked<int>& seen) -> Coro<void> {
        seen.Write() = 1;
        co_return;
      };
      co_await Give();
      Tracked<int> step{"step", 0};
      Task<void> task = CreateTask(write(step));
      co_await task;
      step.Read();
    }
    Always(false, "never five six times");
  };
  // One in 8^6 = 262,144 at random.
  Search search = MakeSearch(Guided{.schedules = 10'000});
  EXPECT_FALSE(RunSearch(body, search, "test").passed());
}

TEST(GuidedTest, IsAnOptionAndAName) {
  const Report report = Explore(Combination<3>, Guided{.schedules = 5'000});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.search.strategy, "guided");
  // Its failures are deviations, like all others.
  const absl::StatusOr<Report> again =
      Replay(Combination<3>, FormatReplay(report.replay));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->trace_hash, report.trace_hash);
  // Its executions cannot be identified by number.
  EXPECT_THAT(
      std::string(Replay(Combination<3>, "c1/0/+guided:7").status().message()),
      HasSubstr("\"guided\" have no number of their own"));
}

}  // namespace
}  // namespace clotho::sim
