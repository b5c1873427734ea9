// Running a small program repeatedly allocates no memory: the first runs have
// allocated everything it needs.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/lock.h"
#include "clotho/runtime/queue.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "clotho/runtime/timeout.h"
#include "gtest/gtest.h"

namespace {

// Calls of malloc and related functions, and those of them made by operator
// new.
std::int64_t mallocs = 0;
std::int64_t news = 0;

}  // namespace

// A sanitizer has its own malloc, and the pool then uses it for every
// allocation: there is nothing to count.
#if !defined(ABSL_HAVE_ADDRESS_SANITIZER) && \
    !defined(ABSL_HAVE_THREAD_SANITIZER)

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) {
  ++mallocs;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++mallocs;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++mallocs;
  return __libc_realloc(memory, size);
}

}  // extern "C"

void* operator new(std::size_t size) {
  ++news;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif

namespace clotho {
namespace {

constexpr Delay kNow;

Coro<int> Nested(int depth) {
  if (depth == 0) {
    co_await Sleep(kNow);
    co_return 0;
  }
  const int below = co_await Nested(depth - 1);
  co_return below + 1;
}

const ContextVar<int> variable("variable", 0);

// Uses every feature, and throws nothing.
Coro<void> Everything() {
  Lock lock("lock");
  Queue<int> queue(2, "queue");
  Event event("event");
  Future<int> future;

  const auto producer = [&]() -> Coro<void> {
    for (int i = 0; i < 10; ++i) {
      auto guard = co_await lock.Acquire();
      co_await queue.Put(i);
    }
    future.SetResult(1);
  };
  const auto consumer = [&]() -> Coro<int> {
    int sum = 0;
    for (int i = 0; i < 10; ++i) {
      const int item = co_await WaitFor(queue.Get(), absl::Seconds(1));
      sum += item;
      queue.TaskDone();
      co_await Sleep(absl::Milliseconds(1));
    }
    event.Set();
    co_return sum;
  };
  const auto waiter = [&]() -> Coro<void> {
    variable.Set(variable.Get() + 1);
    co_await event.Wait();
    auto guard = co_await lock.Acquire();
    co_await Timeout(absl::Seconds(1), Nested(10));
  };
  variable.Set(1);
  Task<void> named =
      CreateTask(waiter(), {.name = "a name that is rather long"});
  future.AddDoneCallback([&] { event.Clear(); });
  TimerHandle timer = GetRunningLoop().CallLater(absl::Hours(1), [] {});
  auto results =
      co_await Gather(producer(), consumer(), waiter(), Shield(future));
  EXPECT_EQ(std::get<1>(results), 45);
  co_await queue.Join();
  co_await named;
  timer.Cancel();
}

// Cancels tasks and lets deadlines pass.
Coro<void> Cancellations() {
  for (int i = 0; i < 3; ++i) {
    Task<int> task = CreateTask(Nested(3));
    task.Cancel();
    try {
      co_await task;
    } catch (const CancelledError&) {
    }
    try {
      co_await WaitFor(Sleep(absl::Seconds(2)), absl::Seconds(1));
    } catch (const TimeoutError&) {
    }
  }
}

// Leaves tasks and timers for the loop to destroy.
Coro<void> Leftovers() {
  Future<int> never;
  const auto waiter = [](Future<int> f) -> Coro<void> { co_await f; };
  for (int i = 0; i < 5; ++i) {
    CreateTask(waiter(never));
    CreateTask(Sleep(absl::Hours(1)));
  }
  auto gather = Gather(never, Nested(3));
  co_await Sleep(kNow);
}

// ---- Long-running workloads. ----

// The allocations between the first and the last quarter of the rounds of one
// task of a workload.
struct Steady {
  void Round(int round, int rounds) {
    if (round == rounds / 4) before = mallocs;
    if (round == rounds - 1) taken = mallocs - before;
  }

  std::int64_t before = 0;
  std::int64_t taken = -1;  // Not known yet.
};

Coro<void> GiveWay(int times, Steady* steady) {
  for (int i = 0; i < times; ++i) {
    if (steady != nullptr) steady->Round(i, times);
    co_await Sleep(kNow);
  }
}

Coro<void> SleepOften(std::uint32_t seed, int times, Steady* steady) {
  for (int i = 0; i < times; ++i) {
    if (steady != nullptr) steady->Round(i, times);
    seed = seed * 1664525 + 1013904223;
    co_await Sleep(absl::Milliseconds(1 + (seed >> 8) % 1'000));
  }
}

Coro<void> PutAll(Queue<int>& queue, int messages) {
  for (int i = 0; i < messages; ++i) co_await queue.Put(i);
}

Coro<void> GetAll(Queue<int>& queue, int messages, Steady* steady) {
  for (int i = 0; i < messages; ++i) {
    steady->Round(i, messages);
    co_await queue.Get();
  }
}

// Only the first task is measured.
Coro<void> SwitchAmong(int tasks, Steady& steady) {
  std::vector<Task<void>> all;
  for (int i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(GiveWay(100, i == 0 ? &steady : nullptr)));
  }
  co_await Gather(std::move(all));
}

Coro<void> SleepAll(int tasks, Steady& steady) {
  std::vector<Task<void>> all;
  for (int i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(SleepOften(static_cast<std::uint32_t>(i), 100,
                                        i == 0 ? &steady : nullptr)));
  }
  co_await Gather(std::move(all));
}

Coro<void> Channel(int producers, Steady& steady) {
  Queue<int> queue(1);
  std::vector<Task<void>> all;
  all.push_back(CreateTask(GetAll(queue, producers * 10, &steady)));
  for (int i = 0; i < producers; ++i) {
    all.push_back(CreateTask(PutAll(queue, 10)));
  }
  co_await Gather(std::move(all));
}

class AllocationTest : public testing::Test {
 protected:
  // Runs the program a few times, then a thousand times more.
  void Run(Coro<void> (*program)()) {
    if (internal::kFramePoolIsMalloc) {
      GTEST_SKIP() << "every allocation is the sanitizer's here";
    }
    for (int i = 0; i < 1000; ++i) {
      if (i == 10) mallocs = news = 0;
      loop_.RunUntilComplete(program());
      loop_.Reset();
    }
    mallocs_ = mallocs;
    news_ = news;
  }

  // Runs a workload several times, with few and with many tasks, and checks
  // that the last run allocates nothing in its steady state. The timer queue is
  // warm only after a few runs: each of its moments keeps space for the most
  // timers it ever had, and the assignment of moments to deadlines differs
  // between runs.
  void ExpectNoneInTheSteadyState(Coro<void> (*workload)(int, Steady&)) {
    if (internal::kFramePoolIsMalloc) {
      GTEST_SKIP() << "every allocation is the sanitizer's here";
    }
    for (const int tasks : {1, 100, 1'000}) {
      Steady steady;
      for (int run = 0; run < 6; ++run) {
        clock_.Advance(-loop_.Time());
        loop_.RunUntilComplete(workload(tasks, steady));
        loop_.Reset();
      }
      EXPECT_EQ(steady.taken, 0) << tasks;
    }
  }

  std::int64_t mallocs_ = 0;
  std::int64_t news_ = 0;
  internal::JumpingClock clock_;
  EventLoop loop_{{.clock = &clock_}};
};

TEST_F(AllocationTest, TheTestCounts) {
  if (internal::kFramePoolIsMalloc) GTEST_SKIP() << "nothing is counted here";
  mallocs = news = 0;
  // Volatile, since an optimizing compiler would remove both.
  int* volatile object = new int(1);
  delete object;
  void* volatile memory = std::malloc(10);
  std::free(memory);
  EXPECT_EQ(news, 1);
  EXPECT_EQ(mallocs, 2);
}

TEST_F(AllocationTest, AProgramThatUsesEverythingTakesNone) {
  Run(Everything);
  EXPECT_EQ(mallocs_, 0);
}

TEST_F(AllocationTest, AProgramThatIsDestroyedHalfWayTakesNone) {
  Run(Leftovers);
  EXPECT_EQ(mallocs_, 0);
}

// The language's own allocation for an exception calls malloc directly, which
// cannot be avoided.
TEST_F(AllocationTest, CancellationsTakeWhatTheirExceptionsTake) {
  Run(Cancellations);
  EXPECT_EQ(news_, 0);
}

TEST_F(AllocationTest, SwitchesTakeNone) {
  ExpectNoneInTheSteadyState(&SwitchAmong);
}

TEST_F(AllocationTest, TimersTakeNone) {
  ExpectNoneInTheSteadyState(&SleepAll);
}

TEST_F(AllocationTest, QueuesTakeNone) { ExpectNoneInTheSteadyState(&Channel); }

}  // namespace
}  // namespace clotho
