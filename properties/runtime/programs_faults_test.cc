// Random programs find faulty primitives, and each shrunk program is small
// enough to read.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/program_checks.h"
#include "clotho/properties/runtime/program_runner.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Matcher;

using MakePrimitives = std::function<std::unique_ptr<Primitives>()>;

// Runs ten executions with each of several seeds: a deadlock ends a search.
std::string WhatIsWrong(const Program& program,
                        const MakePrimitives& primitives, std::uint64_t seeds) {
  std::string wrong;
  for (std::uint64_t seed = 1; seed <= seeds && wrong.empty(); ++seed) {
    wrong = CheckProgram(
                program,
                sim::MakeSearch(sim::Random{.schedules = 10, .seed = seed}),
                primitives)
                .wrong;
  }
  return wrong;
}

// The largest of the shrunk programs below has nine.
constexpr std::size_t kStatementsMax = 9;

struct Found {
  Program program;  // Shrunk.
  std::string wrong;
  int programs = 0;  // Up to the first failing one.
};

// As in rapidcheck: programs grow, and the first failing one is shrunk.
template <typename Faulty>
Found Find() {
  const MakePrimitives primitives = [] { return std::make_unique<Faulty>(); };
  const auto generate = rc::gen::arbitrary<Program>();
  Found found;
  while (found.wrong.empty() && found.programs < 2'000) {
    rc::Shrinkable<Program> candidate =
        generate(rc::Random(static_cast<std::uint64_t>(found.programs)),
                 20 + found.programs % 80);
    ++found.programs;
    found.wrong = WhatIsWrong(candidate.value(), primitives, 1);
    if (found.wrong.empty()) continue;
    bool shrunk = true;
    while (shrunk) {
      shrunk = false;
      auto shrinks = candidate.shrinks();
      while (auto next = shrinks.next()) {
        const std::string wrong = WhatIsWrong(next->value(), primitives, 12);
        if (wrong.empty()) continue;
        candidate = *next;
        found.wrong = wrong;
        shrunk = true;
        break;
      }
    }
    found.program = candidate.value();
  }
  return found;
}

template <typename Faulty>
void ExpectFound(const Matcher<std::string>& wrong) {
  const Found found = Find<Faulty>();
  ASSERT_FALSE(found.wrong.empty());
  EXPECT_THAT(found.wrong, wrong);
  EXPECT_LE(Size(found.program), kStatementsMax) << found.program;
  // Without the fault, the program is correct.
  EXPECT_EQ(WhatIsWrong(found.program, nullptr, 12), "");
  std::cout << found.wrong.substr(0, found.wrong.find('\n')) << "\n"
            << found.program << "\n";
}

// A line of tasks, each with a future.
class Line {
 public:
  // Waits until woken; returns the cancellation exception, if any. In either
  // case the task has left the line.
  Coro<std::exception_ptr> Wait() {
    const Future<void> place;
    places_.push_back(place);
    std::exception_ptr error;
    try {
      co_await place;
    } catch (...) {
      error = std::current_exception();
    }
    std::erase(places_, place);
    co_return error;
  }
  bool empty() const { return places_.empty(); }
  // Wakes the first task that was not woken and has not given up.
  bool WakeOne() {
    for (const Future<void>& place : places_) {
      if (place.Done()) continue;
      place.SetResult();
      return true;
    }
    return false;
  }

 private:
  std::deque<Future<void>> places_;
};

// Any task that finds the lock free takes it, even if another was woken for it
// (asyncio's bpo-32734).
class BargingLock : public Primitives {
  Coro<void> AcquireLock(int which) override {
    if (locked_[which]) {
      std::exception_ptr error = co_await line_[which].Wait();
      if (error != nullptr) {
        if (!locked_[which]) line_[which].WakeOne();
        std::rethrow_exception(error);
      }
    }
    locked_[which] = true;
  }
  void ReleaseLock(int which) override {
    locked_[which] = false;
    line_[which].WakeOne();
  }
  bool LockIsFree(int which) override { return !locked_[which]; }

  bool locked_[kObjects] = {false, false};
  Line line_[kObjects];
};

TEST(ProgramsFaultsTest, FindsALockThatTwoTasksHold) {
  ExpectFound<BargingLock>(HasSubstr("LK-0"));
}

// A task that was woken for the lock and then cancelled wakes no other task
// (bpo-27585).
class ForgetfulLock : public Primitives {
  Coro<void> AcquireLock(int which) override {
    while (locked_[which] || (promised_[which] && !line_[which].empty())) {
      const std::exception_ptr error = co_await line_[which].Wait();
      if (error != nullptr) std::rethrow_exception(error);
      promised_[which] = false;
    }
    locked_[which] = true;
  }
  void ReleaseLock(int which) override {
    locked_[which] = false;
    promised_[which] = line_[which].WakeOne();
  }
  bool LockIsFree(int which) override { return !locked_[which]; }

  bool locked_[kObjects] = {false, false};
  bool promised_[kObjects] = {false, false};
  Line line_[kObjects];
};

TEST(ProgramsFaultsTest, FindsAWakeUpThatIsLost) {
  ExpectFound<ForgetfulLock>(HasSubstr("a deadlock in which"));
}

// A task that was notified and then cancelled keeps the notification
// (gh-112202).
class SelfishCondition : public Primitives {
  Coro<void> WaitForNotification(int which) override {
    ReleaseCondition(which);
    std::exception_ptr error = co_await line_[which].Wait();
    while (true) {
      try {
        co_await AcquireCondition(which);
        break;
      } catch (const CancelledError&) {
        error = std::current_exception();
      }
    }
    if (error != nullptr) std::rethrow_exception(error);
  }
  void Notify(int which, int count) override {
    for (int i = 0; count == 0 || i < count; ++i) {
      if (!line_[which].WakeOne()) return;
    }
  }

  Line line_[kObjects];
};

TEST(ProgramsFaultsTest, FindsANotificationThatIsLost) {
  ExpectFound<SelfishCondition>(HasSubstr("a notification is lost"));
}

// An item that was taken is lost if the task is cancelled before it gets it.
class LeakyQueue : public Primitives {
  Coro<int> Get(int which) override {
    const int item = co_await Primitives::Get(which);
    co_await Sleep(absl::ZeroDuration());
    co_return item;
  }
};

TEST(ProgramsFaultsTest, FindsAnItemThatIsLost) {
  ExpectFound<LeakyQueue>(HasSubstr("(Q-0"));
}

// A permit that was handed to a task is lost if the task is cancelled before it
// runs (python/asyncio issue 270).
class LeakySemaphore : public Primitives {
  Coro<void> AcquirePermit(int which) override {
    if (free_[which] > 0) {
      --free_[which];
      co_return;
    }
    std::exception_ptr error = co_await line_[which].Wait();
    if (error != nullptr) std::rethrow_exception(error);
  }
  void ReleasePermit(int which) override {
    if (!line_[which].WakeOne()) ++free_[which];
  }
  bool NoPermitIsFree(int which) override { return free_[which] == 0; }

  int free_[kObjects] = {kPermits[0], kPermits[1]};
  Line line_[kObjects];
};

TEST(ProgramsFaultsTest, FindsAPermitThatIsLost) {
  ExpectFound<LeakySemaphore>(
      AnyOf(HasSubstr("has lost a permit"), HasSubstr("a permit is free")));
}

// The deadline takes precedence over a cancellation from outside.
class DeafDeadline : public Primitives {
  Coro<int> AwaitFor(Coro<int> inner, Delay timeout) override {
    const absl::Duration deadline =
        GetRunningLoop().Time() + absl::Nanoseconds(timeout.ns());
    try {
      co_return co_await Primitives::AwaitFor(std::move(inner), timeout);
    } catch (const CancelledError&) {
      if (GetRunningLoop().Time() < deadline) throw;
    }
    throw TimeoutError();
  }
};

TEST(ProgramsFaultsTest, FindsADeadlineThatHidesACancellation) {
  ExpectFound<DeafDeadline>(HasSubstr("TO-06"));
}

// When the time is up, it abandons the task (bpo-32751).
class HastyDeadline : public Primitives {
  Coro<int> AwaitFor(Future<int> inner, Delay timeout) override {
    const std::vector<Future<int>> futures = {inner};
    co_await Wait(futures, {.timeout = timeout});
    if (!inner.Done()) {
      inner.state()->Cancel({});
      throw TimeoutError();
    }
    co_return co_await inner;
  }
};

TEST(ProgramsFaultsTest, FindsAWaitForThatReturnsTooEarly) {
  ExpectFound<HastyDeadline>(HasSubstr("WF-03"));
}

// The results are in the order of completion.
class UnorderedGather : public Primitives {
  Coro<std::vector<int>> AwaitAll(std::vector<Future<int>> futures) override {
    std::vector<int> results;
    for (auto next : AsCompleted(std::move(futures))) {
      const int result = co_await std::move(next);
      results.push_back(result);
    }
    co_return results;
  }
};

TEST(ProgramsFaultsTest, FindsResultsInAnotherOrder) {
  ExpectFound<UnorderedGather>(HasSubstr("G-04"));
}

// A second request is mistaken for the first.
class CancelsOnce : public Primitives {
  bool Cancel(const Task<int>& task) override {
    if (task.Done()) return false;
    return task.Cancelling() > 0 || task.Cancel();
  }
};

TEST(ProgramsFaultsTest, FindsACancellationThatDoesNotCount) {
  ExpectFound<CancelsOnce>(HasSubstr("T-1"));
}

// A callback added to a done future is never called.
class LateCallback : public Primitives {
  void AddDoneCallback(const Task<int>& task,
                       std::function<void()> callback) override {
    if (task.Done()) return;
    Primitives::AddDoneCallback(task, std::move(callback));
  }
};

TEST(ProgramsFaultsTest, FindsACallbackThatIsNeverCalled) {
  ExpectFound<LateCallback>(HasSubstr("was never called"));
}

}  // namespace
}  // namespace clotho::properties
