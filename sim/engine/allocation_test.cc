// Exploring a small test allocates no memory once it is warm: neither with
// `operator new` nor, like the frames and exceptions of other libraries, with
// `malloc`.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "clotho/examples/bank.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/strategies/random.h"
#include "gtest/gtest.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLOTHO_TEST_HAS_OWN_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOTHO_TEST_HAS_OWN_MALLOC 1
#endif

namespace {

thread_local constinit std::int64_t allocations = 0;

}  // namespace

#ifdef CLOTHO_TEST_HAS_OWN_MALLOC
constexpr bool kCounts = false;  // The sanitizer's malloc stays in place.
#else
constexpr bool kCounts = true;

// glibc's own names for the functions replaced here. `operator new` calls
// malloc.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}
#endif

namespace clotho::sim {
namespace {

using examples::Account;
using examples::OrderedTransfer;

using Program = Coro<void> (*)();

Coro<void> AddTwice(int& counter) {
  for (int i = 0; i < 2; ++i) {
    const int before = counter;
    co_await Sleep(absl::ZeroDuration());
    counter = before + 1;
  }
}

Coro<void> Tasks() {
  int counter = 0;
  Task<void> a = CreateTask(AddTwice(counter), {.name = "a"});
  Task<void> b = CreateTask(AddTwice(counter));
  co_await a;
  co_await b;
}

Coro<void> Gathering() {
  int counter = 0;
  auto all = Gather(AddTwice(counter), AddTwice(counter), AddTwice(counter));
  co_await all;
}

Coro<void> Sleeping() {
  Task<void> a = CreateTask(Sleep(absl::Milliseconds(2)));
  Task<void> b = CreateTask(Sleep(absl::Milliseconds(1)));
  co_await Sleep(absl::Milliseconds(3));
  co_await a;
  co_await b;
}

Coro<void> HoldLock(Lock& lock) {
  Lock::Guard guard = co_await lock.Acquire();
  co_await Sleep(absl::Milliseconds(1));
}

Coro<void> Locking() {
  Lock lock("door");
  Task<void> a = CreateTask(HoldLock(lock));
  Task<void> b = CreateTask(HoldLock(lock));
  co_await a;
  co_await b;
}

Coro<void> AddTwiceLocked(Lock& lock, int& counter) {
  for (int i = 0; i < 2; ++i) {
    Lock::Guard guard = co_await lock.Acquire();
    const int before = counter;
    co_await Sleep(absl::ZeroDuration());
    counter = before + 1;
  }
}

// Gathering without its race.
Coro<void> GatheringLocked() {
  int counter = 0;
  Lock lock;
  co_await Gather(AddTwiceLocked(lock, counter), AddTwiceLocked(lock, counter),
                  AddTwiceLocked(lock, counter));
  EXPECT_EQ(counter, 6);
}

Coro<void> Produce(Queue<int>& queue) {
  for (int i = 0; i < 5; ++i) co_await queue.Put(i);
}

Coro<void> Consume(Queue<int>& queue) {
  for (int i = 0; i < 5; ++i) {
    co_await queue.Get();
    queue.TaskDone();
  }
}

Coro<void> Queueing() {
  Queue<int> queue(2);
  Task<void> producer = CreateTask(Produce(queue));
  Task<void> consumer = CreateTask(Consume(queue));
  co_await producer;
  co_await queue.Join();
  co_await consumer;
}

Coro<void> AwaitEvent(Event& event) { co_await event.Wait(); }

Coro<void> Signalling() {
  Event event("go");
  Task<void> a = CreateTask(AwaitEvent(event));
  Task<void> b = CreateTask(AwaitEvent(event));
  co_await Sleep(absl::ZeroDuration());
  event.Set();
  co_await a;
  co_await b;
}

Coro<void> Calling() {
  Future<int> future;
  int calls = 0;
  future.AddDoneCallback([&calls] { ++calls; });
  GetRunningLoop().CallSoon([&calls] { ++calls; });
  GetRunningLoop().CallLater(absl::Milliseconds(1),
                             [future] { future.SetResult(1); });
  co_await future;
  co_await Sleep(absl::Milliseconds(1));
}

Coro<int> GiveOne() {
  co_await Sleep(absl::Milliseconds(1));
  co_return 1;
}

Coro<void> Shielding() {
  Task<int> task = CreateTask(GiveOne());
  Future<int> shield = Shield(task);
  co_await shield;
}

// A deadline that never passes: throwing takes memory.
Coro<void> WaitingInTime() {
  co_await WaitFor(GiveOne(), absl::InfiniteDuration());
  co_await Timeout(absl::InfiniteDuration(), GiveOne());
}

Coro<void> Transfers() {
  Account a("A", 100);
  Account b("B", 100);
  Task<void> forth = CreateTask(OrderedTransfer(a, b, 10, true));
  Task<void> back = CreateTask(OrderedTransfer(b, a, 20, false));
  co_await forth;
  co_await back;
}

struct Named {
  std::string_view name;
  Program program;

  friend void PrintTo(const Named& named, std::ostream* out) {
    *out << named.name;
  }
};

class AllocationTest : public testing::TestWithParam<Named> {};

TEST_P(AllocationTest, AThousandExecutionsTakeNoMemoryOnceWarm) {
  if constexpr (!kCounts) {
    GTEST_SKIP() << "the sanitizer has a malloc of its own";
  }
  internal::Simulator simulator;
  RandomStrategy random;
  const internal::Body body = GetParam().program;
  std::uint64_t deviations = 0;
  const auto run = [&](std::uint64_t seed) {
    const internal::Execution& execution =
        simulator.Run(body, random, {.strategy = seed, .program = 0});
    deviations += execution.deviations.size();
    return !execution.failure.has_value();
  };
  // Warm-up: the deepest queue and the longest list of deviations occur early.
  for (std::uint64_t seed = 0; seed < 10; ++seed) ASSERT_TRUE(run(seed));

  const std::int64_t before = allocations;
  bool passed = true;
  for (std::uint64_t seed = 10; seed < 1'010; ++seed) {
    passed = run(seed) && passed;
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_TRUE(passed);
}

INSTANTIATE_TEST_SUITE_P(
    Programs, AllocationTest,
    testing::Values(Named{"Tasks", &Tasks}, Named{"Gathering", &Gathering},
                    Named{"GatheringLocked", &GatheringLocked},
                    Named{"Sleeping", &Sleeping}, Named{"Locking", &Locking},
                    Named{"Queueing", &Queueing},
                    Named{"Signalling", &Signalling},
                    Named{"Calling", &Calling}, Named{"Shielding", &Shielding},
                    Named{"WaitingInTime", &WaitingInTime},
                    Named{"Transfers", &Transfers}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(AllocationTest, TheCounterCounts) {
  if constexpr (!kCounts) {
    GTEST_SKIP() << "the sanitizer has a malloc of its own";
  }
  const std::int64_t before = allocations;
  void* volatile memory = std::malloc(10);
  std::free(memory);
  std::string* volatile text = new std::string(100, 'x');
  delete text;
  EXPECT_EQ(allocations - before, 3);
}

}  // namespace
}  // namespace clotho::sim
