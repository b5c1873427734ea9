// CPython's tests of barriers (test_locks.py), ported to Barrier. Each test has
// the name and class of the original method.

#include <cstddef>
#include <string>
#include <vector>

#include "clotho/runtime/barrier.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/gather.h"
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
using ::testing::UnorderedElementsAre;

constexpr Delay kNow;
constexpr int kParties = 5;

class BarrierTests : public internal::RuntimeTest {
 protected:
  // Starts `count` tasks of `body()`.
  template <typename Body>
  static auto MakeTasks(int count, const Body& body) {
    std::vector<decltype(CreateTask(body()))> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(CreateTask(body()));
    return tasks;
  }

  // Runs that many tasks to their end, and gives their results.
  template <typename Body>
  auto RunTasks(int count, const Body& body) {
    using Results = AwaitResult<decltype(Gather(MakeTasks(count, body)))>;
    const auto main = [&]() -> Coro<Results> {
      co_return co_await Gather(MakeTasks(count, body));
    };
    return Run(main());
  }

  // False if the barrier was broken, or reset, instead.
  Coro<bool> Passes() {
    try {
      co_await barrier_.Wait();
    } catch (const BrokenBarrierError&) {
      co_return false;
    }
    co_return true;
  }

  // The barrier is whole, and no task has arrived yet.
  void ExpectEmptyAndWhole(const Barrier& barrier) {
    EXPECT_EQ(barrier.NWaiting(), 0u);
    EXPECT_FALSE(barrier.Broken());
  }

  Barrier barrier_{kParties};
};

TEST_F(BarrierTests, Barrier) {
  // The result of `Wait` can be awaited; the barrier cannot.
  static_assert(!Awaitable<Barrier>);
  static_assert(!Awaitable<Barrier&>);
  ExpectEmptyAndWhole(barrier_);
}

TEST_F(BarrierTests, BarrierParties) {
  for (const int parties : {0, -4}) {
    EXPECT_EQ(Thrown([&] { Barrier barrier(parties); }),
              "ValueError: parties must be >= 1");
  }
  EXPECT_EQ(barrier_.Parties(), std::size_t{kParties});
}

TEST_F(BarrierTests, ContextManager) {
  Barrier barrier(3);
  const auto wait = [&] { return barrier.Wait(); };
  EXPECT_THAT(RunTasks(3, wait), UnorderedElementsAre(0, 1, 2));
  ExpectEmptyAndWhole(barrier);
}

TEST_F(BarrierTests, FillingOneTask) {
  Barrier barrier(1);
  EXPECT_EQ(Run(barrier.Wait()), 0u);
  ExpectEmptyAndWhole(barrier);
}

TEST_F(BarrierTests, FillingOneTaskTwice) {
  Barrier barrier(1);
  const auto main = [&]() -> Coro<void> {
    Task<std::size_t> t1 = CreateTask(barrier.Wait());
    co_await Sleep(kNow);
    EXPECT_EQ(barrier.NWaiting(), 0u);
    Task<std::size_t> t2 = CreateTask(barrier.Wait());
    co_await Sleep(kNow);
    EXPECT_EQ(t1.Result(), t2.Result());
    ExpectEmptyAndWhole(barrier);
  };
  Run(main());
}

TEST_F(BarrierTests, FillingTaskByTask) {
  Barrier barrier(3);
  const auto main = [&]() -> Coro<void> {
    std::vector<Task<std::size_t>> tasks;
    for (const std::size_t come : {1u, 2u}) {
      tasks.push_back(CreateTask(barrier.Wait()));
      co_await Sleep(kNow);
      EXPECT_EQ(barrier.NWaiting(), come);
    }
    tasks.push_back(CreateTask(barrier.Wait()));
    co_await Sleep(kNow);
    co_await Wait(tasks);
    ExpectEmptyAndWhole(barrier);
  };
  Run(main());
}

TEST_F(BarrierTests, FillingTasksWaitTwice) {
  int first = 0;
  int second = 0;
  const auto body = [&]() -> Coro<void> {
    co_await barrier_.Wait();
    ++first;
    co_await barrier_.Wait();
    EXPECT_EQ(first, kParties);
    ++second;
  };
  RunTasks(kParties, body);
  EXPECT_EQ(first, kParties);
  EXPECT_EQ(second, kParties);
  ExpectEmptyAndWhole(barrier_);
}

TEST_F(BarrierTests, FillingTasksCheckReturnValue) {
  int first = 0;
  int second = 0;
  const auto body = [&]() -> Coro<std::size_t> {
    co_await barrier_.Wait();
    ++first;
    const std::size_t position = co_await barrier_.Wait();
    ++second;
    co_return position;
  };
  EXPECT_THAT(RunTasks(kParties, body), UnorderedElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(first, kParties);
  EXPECT_EQ(second, kParties);
  ExpectEmptyAndWhole(barrier_);
}

// While the tasks that had arrived leave it, no other task is let in.
TEST_F(BarrierTests, DrainingState) {
  int left = 0;
  const auto body = [&]() -> Coro<void> {
    co_await barrier_.Wait();
    ++left;
  };
  std::vector<Task<void>> tasks;
  for (int i = 0; i < kParties; ++i) tasks.push_back(Start(body()));
  Task<std::size_t> newcomer = Start(barrier_.Wait());
  Iterate();
  EXPECT_EQ(left, 1);  // The last to arrive. The others follow.
  for (int i = 0; i < kParties && left < kParties; ++i) {
    EXPECT_EQ(barrier_.NWaiting(), 0u);
    Iterate();
  }
  EXPECT_EQ(left, kParties);
  Iterate();
  EXPECT_EQ(barrier_.NWaiting(), 1u);  // The newcomer has arrived.

  RunTasks(kParties - 1, body);
  EXPECT_EQ(Run(Raised(newcomer)), "None");
  EXPECT_EQ(newcomer.Result(), 0u);
  ExpectEmptyAndWhole(barrier_);
}

TEST_F(BarrierTests, BlockingTasksWhileDraining) {
  constexpr int kAgain = 2;
  Barrier others(kParties - kAgain);
  int again = kAgain;
  const auto body = [&]() -> Coro<void> {
    co_await barrier_.Wait();
    // Some wait again at once, perhaps before all have left; the others when
    // they have met elsewhere.
    if (again > 0) {
      --again;
    } else {
      co_await others.Wait();
    }
    co_await barrier_.Wait();
  };
  RunTasks(kParties, body);
  ExpectEmptyAndWhole(barrier_);
  ExpectEmptyAndWhole(others);
}

TEST_F(BarrierTests, FillingTasksCancelOne) {
  Barrier barrier(3);
  int passed = 0;
  const auto body = [&]() -> Coro<void> {
    co_await barrier.Wait();
    ++passed;
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t1 = CreateTask(body());
    co_await Sleep(kNow);
    EXPECT_EQ(barrier.NWaiting(), 1u);
    Task<void> t2 = CreateTask(body());
    co_await Sleep(kNow);
    EXPECT_EQ(barrier.NWaiting(), 2u);

    t1.Cancel();
    co_await Sleep(kNow);
    EXPECT_EQ(barrier.NWaiting(), 1u);
    const std::string raised = co_await Raised(t1);
    EXPECT_EQ(raised, "CancelledError()");
    EXPECT_TRUE(t1.Cancelled());

    Task<void> t3 = CreateTask(body());
    co_await Sleep(kNow);
    EXPECT_EQ(barrier.NWaiting(), 2u);
    Task<void> t4 = CreateTask(body());
    co_await Gather(t2, t3, t4);
    EXPECT_EQ(passed, 3);
    ExpectEmptyAndWhole(barrier);
  };
  Run(main());
}

TEST_F(BarrierTests, ResetBarrier) {
  Barrier barrier(1);
  Run(barrier.Reset());
  ExpectEmptyAndWhole(barrier);
}

TEST_F(BarrierTests, ResetBarrierWhileTasksWaiting) {
  const auto main = [&]() -> Coro<void> {
    const auto body = [&] { return Passes(); };
    std::vector<Task<bool>> tasks = MakeTasks(kParties - 1, body);
    co_await Sleep(kNow);
    Task<void> reset = CreateTask(barrier_.Reset());
    std::vector<bool> passed = co_await Gather(tasks);
    EXPECT_THAT(passed, ElementsAre(false, false, false, false));
    ExpectEmptyAndWhole(barrier_);
    EXPECT_TRUE(reset.Done());
  };
  Run(main());
  // It is no longer being reset: it lets tasks in, and through.
  const auto wait = [&] { return barrier_.Wait(); };
  EXPECT_THAT(RunTasks(kParties, wait), UnorderedElementsAre(0, 1, 2, 3, 4));
}

TEST_F(BarrierTests, ResetBarrierWhenTasksHalfDraining) {
  constexpr int kRest = kParties / 2;
  int inside = kParties;
  int broken = 0;
  const auto body = [&]() -> Coro<void> {
    const bool passes = co_await Passes();
    if (!passes) {
      ++broken;
    } else if (--inside == kRest) {
      co_await barrier_.Reset();
    }
  };
  RunTasks(kParties, body);
  EXPECT_EQ(broken, kRest);
  ExpectEmptyAndWhole(barrier_);
}

TEST_F(BarrierTests, ResetBarrierWhenTasksHalfDrainingHalfBlocking) {
  constexpr int kBlocked = kParties / 2;
  int passed = 0;
  int broken_inside = 0;
  int broken_outside = 0;
  const auto body = [&]() -> Coro<void> {
    const bool passes = co_await Passes();
    if (!passes) {
      ++broken_inside;
      co_await barrier_.Wait();
    } else if (++passed > kBlocked) {
      co_await barrier_.Reset();
      co_await barrier_.Wait();
    } else {  // Waits to be let in: the reset is not for it.
      const bool passes_again = co_await Passes();
      if (!passes_again) ++broken_outside;
    }
  };
  RunTasks(kParties, body);
  EXPECT_EQ(broken_inside, kBlocked);
  EXPECT_EQ(broken_outside, 0);
  ExpectEmptyAndWhole(barrier_);
}

TEST_F(BarrierTests, ResetBarrierWhileTasksWaitingAndWaitingAgain) {
  int broken = 0;
  int passed = 0;
  const auto wait_twice = [&]() -> Coro<void> {
    const bool passes = co_await Passes();
    if (!passes) ++broken;
    co_await barrier_.Wait();
    ++passed;
  };
  const auto wait_once = [&]() -> Coro<void> {
    co_await barrier_.Wait();
    ++passed;
  };
  const auto main = [&]() -> Coro<void> {
    std::vector<Task<void>> tasks = MakeTasks(kParties - 1, wait_twice);
    Task<void> reset = CreateTask(barrier_.Reset());
    co_await Sleep(kNow);
    Task<void> last = CreateTask(wait_once());
    co_await Gather(tasks);
    EXPECT_FALSE(barrier_.Broken());
    EXPECT_EQ(broken, kParties - 1);
    EXPECT_EQ(passed, kParties);
    ExpectEmptyAndWhole(barrier_);
    EXPECT_TRUE(reset.Done());
    EXPECT_TRUE(last.Done());
  };
  Run(main());
}

TEST_F(BarrierTests, ResetBarrierWhileTasksDraining) {
  int left = 0;
  int passed_again = 0;
  int broken = 0;
  int passed_last = 0;
  const auto body = [&]() -> Coro<void> {
    co_await barrier_.Wait();
    if (++left == kParties) {  // The last to leave: it is empty.
      co_await barrier_.Reset();
      co_await barrier_.Wait();
    } else {
      const bool passes = co_await Passes();
      ++(passes ? passed_again : broken);
    }
    co_await barrier_.Wait();
    ++passed_last;
  };
  RunTasks(kParties, body);
  EXPECT_EQ(passed_again, kParties - 1);
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(passed_last, kParties);
  ExpectEmptyAndWhole(barrier_);
}

TEST_F(BarrierTests, AbortBarrier) {
  Barrier barrier(1);
  Run(barrier.Abort());
  EXPECT_EQ(barrier.NWaiting(), 0u);
  EXPECT_TRUE(barrier.Broken());
}

TEST_F(BarrierTests, AbortBarrierWhenTasksHalfDrainingHalfBlocking) {
  constexpr int kBlocked = kParties / 2;
  int passed = 0;
  int broken_inside = 0;
  int broken_outside = 0;
  const auto body = [&]() -> Coro<void> {
    const bool passes = co_await Passes();
    if (!passes) {
      ++broken_inside;
    } else if (++passed > kBlocked) {
      co_await barrier_.Abort();
    } else {
      const bool passes_again = co_await Passes();
      if (!passes_again) ++broken_outside;
    }
  };
  RunTasks(kParties, body);
  EXPECT_TRUE(barrier_.Broken());
  EXPECT_EQ(broken_inside, kBlocked);
  EXPECT_EQ(broken_outside, kParties - kBlocked - 1);
  EXPECT_EQ(barrier_.NWaiting(), 0u);
}

TEST_F(BarrierTests, AbortBarrierWhenException) {
  int passed_twice = 0;
  int broken = 0;
  const auto body = [&]() -> Coro<void> {
    bool failed = false;
    try {
      const std::size_t position = co_await barrier_.Wait();
      if (position == kParties / 2) throw ValueError("x");
      co_await barrier_.Wait();
      ++passed_twice;
    } catch (const BrokenBarrierError&) {
      ++broken;
    } catch (const ValueError&) {
      failed = true;
    }
    if (failed) co_await barrier_.Abort();
  };
  RunTasks(kParties, body);
  EXPECT_TRUE(barrier_.Broken());
  EXPECT_EQ(passed_twice, 0);
  EXPECT_EQ(broken, kParties - 1);
  EXPECT_EQ(barrier_.NWaiting(), 0u);
}

TEST_F(BarrierTests, AbortBarrierWhenExceptionThenResetting) {
  Barrier meeting(kParties);
  int passed_twice = 0;
  int broken = 0;
  int passed_last = 0;
  const auto body = [&]() -> Coro<void> {
    bool failed = false;
    try {
      std::size_t position = co_await barrier_.Wait();
      if (position == kParties / 2) throw ValueError("x");
      co_await barrier_.Wait();
      ++passed_twice;
    } catch (const BrokenBarrierError&) {
      ++broken;
    } catch (const ValueError&) {
      failed = true;
    }
    if (failed) co_await barrier_.Abort();

    // All have left the barrier when it is reset, and none arrives before that.
    const std::size_t position = co_await meeting.Wait();
    if (position == kParties / 2) co_await barrier_.Reset();
    co_await meeting.Wait();
    co_await barrier_.Wait();
    ++passed_last;
  };
  RunTasks(kParties, body);
  EXPECT_EQ(passed_twice, 0);
  EXPECT_EQ(broken, kParties - 1);
  EXPECT_EQ(passed_last, kParties);
  ExpectEmptyAndWhole(barrier_);
}

}  // namespace
}  // namespace clotho
