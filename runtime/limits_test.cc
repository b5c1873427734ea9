// As many awaits, levels and tasks as a long run may have: neither the machine
// stack nor memory grows with them.

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

constexpr Delay kNow;
constexpr std::size_t kStackSize = 256 * 1024;
constexpr int kLevels = 100'000;

// Calls `function` in a thread with a small stack, which would overflow if it
// grew with the depth of a program.
void WithSmallStack(std::function<void()> function) {
  const std::int64_t live = internal::thread_frame_pool.live();
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStackSize), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  const std::int64_t before =
                      internal::thread_frame_pool.live();
                  (*static_cast<std::function<void()>*>(argument))();
                  EXPECT_EQ(internal::thread_frame_pool.live(), before);
                  return nullptr;
                },
                &function),
            0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(internal::thread_frame_pool.live(), live);
}

class Program {
 public:
  EventLoop& loop() { return loop_; }
  template <typename T>
  Task<T> Start(Coro<T> coro) {
    return internal::CreateTaskIn(loop_, std::move(coro), {},
                                  std::source_location::current());
  }
  void Iterate(int count) {
    for (; count > 0; --count) {
      loop_.Stop();
      loop_.RunForever();
    }
  }

 private:
  internal::JumpingClock clock_;
  EventLoop loop_{{.clock = &clock_}};
};

Coro<std::int64_t> Return(std::int64_t value) { co_return value; }

TEST(LimitsTest, TenMillionAwaitsInOneCoroutine) {
  WithSmallStack([] {
    const auto main = []() -> Coro<std::int64_t> {
      std::int64_t sum = 0;
      for (int i = 0; i < 10'000'000; ++i) {
        const std::int64_t one = co_await Return(1);
        sum += one;
      }
      co_return sum;
    };
    Program program;
    EXPECT_EQ(program.loop().RunUntilComplete(main()), 10'000'000);
  });
}

TEST(LimitsTest, AMillionSuspensionsInOneCoroutine) {
  WithSmallStack([] {
    const auto main = []() -> Coro<void> {
      for (int i = 0; i < 1'000'000; ++i) co_await Sleep(kNow);
    };
    Program program;
    program.loop().RunUntilComplete(main());
    EXPECT_EQ(CoreOf(program.loop()).iterations(), 1'000'002u);
  });
}

// A chain of coroutines, each awaited by the previous one. The innermost
// sleeps, and on the way back so does the one at level `pause`.
Coro<int> Nest(int level, int pause) {
  int below = 0;
  if (level == kLevels) {
    co_await Sleep(absl::Seconds(1));
  } else {
    below = co_await Nest(level + 1, pause);
  }
  if (level == pause) co_await Sleep(absl::Seconds(1));
  co_return below + 1;
}

TEST(LimitsTest, AHundredThousandNestedCoroutinesRun) {
  WithSmallStack([] {
    Program program;
    EXPECT_EQ(program.loop().RunUntilComplete(Nest(1, 0)), kLevels);
  });
}

TEST(LimitsTest, AHundredThousandNestedCoroutinesAreCancelled) {
  WithSmallStack([] {
    Program program;
    Task<int> task = program.Start(Nest(1, 0));
    program.Iterate(1);
    EXPECT_EQ(task.GetStack().size(), static_cast<std::size_t>(kLevels));
    task.Cancel();
    program.Iterate(1);
    EXPECT_TRUE(task.Cancelled());
  });
}

TEST(LimitsTest, AHundredThousandNestedCoroutinesAreDestroyed) {
  WithSmallStack([] {
    Program program;
    program.Start(Nest(1, 0));
    program.Iterate(1);
    program.loop().Reset();
  });
}

TEST(LimitsTest, AHundredThousandNestedCoroutinesAreDestroyedHalfWayBack) {
  WithSmallStack([] {
    Program program;
    Task<int> task = program.Start(Nest(1, kLevels / 2));
    program.loop().CallLater(absl::Milliseconds(1500),
                             [&] { program.loop().Stop(); });
    program.loop().RunForever();
    EXPECT_EQ(task.GetStack().size(), static_cast<std::size_t>(kLevels / 2));
    program.loop().Reset();
  });
}

TEST(LimitsTest, AMillionTasksAtOnce) {
  WithSmallStack([] {
    constexpr int kTasks = 1'000'000;
    int awake = 0;
    const auto sleeper = [&]() -> Coro<void> {
      co_await Sleep(absl::Seconds(1));
      ++awake;
    };
    const auto main = [&]() -> Coro<void> {
      for (int i = 0; i < kTasks; ++i) CreateTask(sleeper());
      co_await Sleep(absl::Seconds(2));
    };
    Program program;
    program.loop().RunUntilComplete(main());
    EXPECT_EQ(awake, kTasks);
  });
}

TEST(LimitsTest, ManyTasksWaitingForOneEventAreWokenOrDestroyed) {
  WithSmallStack([] {
    for (const bool set : {true, false}) {
      Event event;
      int awake = 0;
      const auto waiter = [&]() -> Coro<void> {
        co_await event.Wait();
        ++awake;
      };
      Program program;
      for (int i = 0; i < kLevels; ++i) program.Start(waiter());
      program.Iterate(1);
      if (set) event.Set();
      program.Iterate(1);
      EXPECT_EQ(awake, set ? kLevels : 0);
      program.loop().Reset();
    }
  });
}

// Each task awaits the previous one.
class ChainOfTasks {
 public:
  explicit ChainOfTasks(Program& program) : first(program.loop()) {
    const auto link = [](Future<int> before) -> Coro<int> {
      const int n = co_await before;
      co_return n + 1;
    };
    Future<int> before = first;
    for (int i = 0; i < kLevels; ++i) {
      last = program.Start(link(before));
      before = *last;
    }
    program.Iterate(1);
  }
  Future<int> first;
  std::optional<Task<int>> last;
};

TEST(LimitsTest, AChainOfAHundredThousandTasksRuns) {
  WithSmallStack([] {
    Program program;
    ChainOfTasks chain(program);
    chain.first.SetResult(0);
    EXPECT_EQ(program.loop().RunUntilComplete(*chain.last), kLevels);
  });
}

TEST(LimitsTest, AChainOfAHundredThousandTasksIsCancelled) {
  WithSmallStack([] {
    Program program;
    ChainOfTasks chain(program);
    EXPECT_TRUE(chain.last->Cancel());
    EXPECT_TRUE(chain.first.Cancelled());
    EXPECT_THROW(program.loop().RunUntilComplete(*chain.last), CancelledError);
  });
}

TEST(LimitsTest, AChainOfAHundredThousandTasksIsDestroyed) {
  WithSmallStack([] {
    Program program;
    ChainOfTasks chain(program);
    program.loop().Reset();
  });
}

TEST(LimitsTest, AMillionExecutionsOfOneLoopKeepNothing) {
  WithSmallStack([] {
    const auto main = []() -> Coro<void> {
      Task<std::int64_t> task = CreateTask(Return(1));
      CreateTask(Return(2));
      co_await task;
    };
    Program program;
    const std::int64_t live = internal::thread_frame_pool.live();
    for (int i = 0; i < 1'000'000; ++i) {
      program.loop().RunUntilComplete(main());
      program.loop().Reset();
    }
    EXPECT_EQ(internal::thread_frame_pool.live(), live);
  });
}

}  // namespace
}  // namespace clotho
