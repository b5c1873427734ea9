// CPython's tests of asyncio.as_completed (test_tasks.py), ported to
// AsCompleted. Each test has the name of the original method. Most cover both
// ways to iterate: by rounds, each of which gives a result, and by `Next`,
// which gives the tasks.

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/as_completed.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr bool kBothWays[] = {false, true};

class BaseTaskTests : public internal::RuntimeTest {
 protected:
  using Coros = std::vector<Coro<std::string>>;
  using Strings = std::vector<std::string>;

  Coro<std::string> SleepThen(Delay delay, std::string result) {
    co_await Sleep(delay);
    co_return result;
  }
  Coro<std::string> Echo(std::string text) { co_return text; }
  template <typename... Coro>
  static Coros Pack(Coro... coros) {
    Coros all;
    (all.push_back(std::move(coros)), ...);
    return all;
  }
  absl::Duration Since(absl::Duration start) { return loop_.Time() - start; }

  // The results in the order in which they come, at most `max` of them.
  template <typename Iterator>
  Coro<Strings> Take(Iterator completed, bool by_next, std::size_t max = 99) {
    Strings results;
    if (by_next) {
      while (results.size() < max) {
        auto task = co_await completed.Next();
        if (!task.has_value()) break;
        results.push_back(co_await *task);
      }
      co_return results;
    }
    for (auto round : completed) {
      results.push_back(co_await std::move(round));
      if (results.size() == max) break;
    }
    co_return results;
  }
};

TEST_F(BaseTaskTests, AsCompleted) {
  for (const bool by_next : kBothWays) {
    const absl::Duration start = loop_.Time();
    std::set<std::string> completed;
    const auto sleeper = [&](Delay delay,
                             std::string name) -> Coro<std::string> {
      co_await Sleep(delay);
      completed.insert(name);
      // As if this step had taken until `c` is due.
      if (completed.size() == 2) clock_.Advance(absl::Milliseconds(140));
      co_return name;
    };
    const auto main = [&]() -> Coro<Strings> {
      Coro<std::string> a = sleeper(absl::Milliseconds(10), "a");
      Coro<std::string> b = sleeper(absl::Milliseconds(10), "b");
      Coro<std::string> c = sleeper(absl::Milliseconds(150), "c");
      Coros coros = Pack(std::move(b), std::move(c), std::move(a));
      auto iterator = AsCompleted(std::move(coros));
      co_return co_await Take(iterator, by_next);
    };
    EXPECT_THAT(Run(main()), ElementsAre("b", "a", "c"));
    EXPECT_EQ(Since(start), absl::Milliseconds(150));
  }
}

TEST_F(BaseTaskTests, AsCompletedSameTasksInAsOut) {
  const auto main = [&]() -> Coro<void> {
    // Coroutines become tasks, which it returns.
    auto of_coros = AsCompleted(Pack(Echo("0"), Echo("1")));
    std::optional<Task<std::string>> made = co_await of_coros.Next();
    EXPECT_EQ(made->Result(), "0");
    made = co_await of_coros.Next();
    EXPECT_EQ(made->Result(), "1");

    // Tasks are returned as they are.
    Task<std::string> b = CreateTask(Echo("b"));
    Task<std::string> d = CreateTask(Echo("d"));
    std::vector<Task<std::string>> out;
    auto of_tasks = AsCompleted(std::vector{b, d});
    for (int i = 0; i < 2; ++i) {
      std::optional<Task<std::string>> task = co_await of_tasks.Next();
      out.push_back(*task);
    }
    EXPECT_THAT(out, UnorderedElementsAre(b, d));
  };
  Run(main());
}

TEST_F(BaseTaskTests, AsCompletedWithTimeout) {
  const AsCompletedOptions options = {.timeout = absl::Milliseconds(120)};
  for (const bool by_next : kBothWays) {
    log_.clear();
    const absl::Duration start = loop_.Time();
    Task<std::string> a = Start(SleepThen(absl::Milliseconds(100), "a"));
    Task<std::string> b = Start(SleepThen(absl::Milliseconds(150), "b"));
    const std::vector tasks = {a, b};
    const auto by_rounds = [&]() -> Coro<void> {
      for (auto round : AsCompleted(tasks, options)) {
        if (!log_.empty()) clock_.Advance(absl::Milliseconds(20));
        try {
          const std::string result = co_await std::move(round);
          Note(result);
        } catch (const TimeoutError&) {
          Note("timeout");
        }
      }
    };
    const auto by_tasks = [&]() -> Coro<void> {
      auto completed = AsCompleted(tasks, options);
      try {
        while (true) {
          auto task = co_await completed.Next();
          if (!task.has_value()) break;
          const std::string result = co_await *task;
          Note(result);
          clock_.Advance(absl::Milliseconds(20));
        }
      } catch (const TimeoutError&) {
        Note("timeout");
      }
    };
    if (by_next) {
      Run(by_tasks());
    } else {
      Run(by_rounds());
    }
    EXPECT_THAT(log_, ElementsAre("a", "timeout"));
    EXPECT_EQ(Since(start), absl::Milliseconds(120));
    EXPECT_FALSE(b.Done());
    loop_.RunUntilComplete(Wait(tasks));
    EXPECT_EQ(b.Result(), "b");  // It was not cancelled.
  }
}

TEST_F(BaseTaskTests, AsCompletedWithUnusedTimeout) {
  for (const bool by_next : kBothWays) {
    const absl::Duration start = loop_.Time();
    const auto main = [&]() -> Coro<Strings> {
      const AsCompletedOptions options = {.timeout = absl::Seconds(1)};
      auto iterator =
          AsCompleted(Pack(SleepThen(absl::Milliseconds(10), "a")), options);
      co_return co_await Take(iterator, by_next);
    };
    EXPECT_THAT(Run(main()), ElementsAre("a"));
    RunToStandstill();  // No timer is left.
    EXPECT_EQ(Since(start), absl::Milliseconds(10));
  }
}

TEST_F(BaseTaskTests, AsCompletedResumeIterator) {
  for (const bool by_next : kBothWays) {
    const auto main = [&]() -> Coro<void> {
      auto iterator =
          AsCompleted(Pack(Echo("0"), Echo("1"), Echo("2"), Echo("3")));
      const Strings first = co_await Take(iterator, by_next, 2);
      EXPECT_THAT(first, ElementsAre("0", "1"));
      const Strings rest = co_await Take(iterator, by_next);
      EXPECT_THAT(rest, ElementsAre("2", "3"));
    };
    Run(main());
  }
}

TEST_F(BaseTaskTests, AsCompletedReverseWait) {
  // The round that is awaited first gets what is done first, whichever round
  // was begun first.
  const auto main = [&]() -> Coro<void> {
    auto iterator = AsCompleted(Pack(SleepThen(absl::Milliseconds(50), "a"),
                                     SleepThen(absl::Milliseconds(100), "b")));
    using Round = decltype(*iterator.begin());
    std::vector<Round> rounds;
    for (auto round : iterator) rounds.push_back(round);
    EXPECT_THAT(rounds, SizeIs(2));

    const std::string first = co_await std::move(rounds[1]);
    EXPECT_EQ(first, "a");
    EXPECT_EQ(loop_.Time(), absl::Milliseconds(50));
    const std::string second = co_await std::move(rounds[0]);
    EXPECT_EQ(second, "b");
    EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
  };
  Run(main());
}

TEST_F(BaseTaskTests, AsCompletedConcurrent) {
  for (const bool by_next : kBothWays) {
    const auto main = [&]() -> Coro<void> {
      auto iterator = AsCompleted(Pack(SleepThen(absl::Milliseconds(50), "a"),
                                       SleepThen(absl::Milliseconds(50), "b")));
      std::vector<Future<std::string>> futures;
      if (by_next) {
        while (true) {
          auto task = co_await iterator.Next();
          if (!task.has_value()) break;
          futures.push_back(*task);
        }
      } else {
        for (auto round : iterator) {
          futures.push_back(EnsureFuture(std::move(round)));
        }
      }
      EXPECT_THAT(futures, SizeIs(2));
      const auto result = co_await Wait(futures);
      Strings results;
      for (const auto& future : result.done) results.push_back(future.Result());
      EXPECT_THAT(results, UnorderedElementsAre("a", "b"));
    };
    Run(main());
  }
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

TEST_F(BaseTaskTests, AsCompletedDuplicateCoroutines) {
  for (const bool by_next : kBothWays) {
    const auto main = [&]() -> Coro<Strings> {
      // A coroutine cannot be given twice. Its task can.
      Task<std::string> ham = CreateTask(Echo("ham"));
      Task<std::string> spam = CreateTask(Echo("spam"));
      auto iterator = AsCompleted(std::vector{ham, ham, spam});
      co_return co_await Take(iterator, by_next);
    };
    EXPECT_THAT(Run(main()), ElementsAre("ham", "spam"));
  }
}

TEST_F(BaseTaskTests, AsCompletedCoroutineWithoutLoop) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(Thrown([&] { (void)AsCompleted(Pack(Echo("a"))); }),
              HasSubstr("RuntimeError: no running event loop"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("never awaited"));
}

TEST_F(BaseTaskTests, AsCompletedCoroutineUseRunningLoop) {
  const auto main = [&]() -> Coro<void> {
    auto iterator = AsCompleted(Pack(Echo("42")));
    auto round = *iterator.begin();
    EXPECT_TRUE(iterator.begin() == iterator.end());
    const std::string result = co_await std::move(round);
    EXPECT_EQ(result, "42");
  };
  Run(main());
}

template <typename A>
concept CanBeIterated = requires(A a) { AsCompleted(std::move(a)); };

TEST_F(BaseTaskTests, AsCompletedInvalidArgs) {
  // A single future or coroutine is not a range.
  static_assert(CanBeIterated<std::vector<Future<int>>>);
  static_assert(CanBeIterated<std::vector<Coro<int>>>);
  static_assert(!CanBeIterated<Future<int>>);
  static_assert(!CanBeIterated<Coro<int>>);
  static_assert(!CanBeIterated<std::vector<int>>);
}

}  // namespace
}  // namespace clotho
