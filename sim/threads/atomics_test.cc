// Code compiled with -fsanitize=thread: each operation on an atomic object is a
// point.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "clotho/runtime/claims.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/threads.h"
#include "clotho/sim/threads/run_threads.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using internal::ThreadsBody;

std::string KindOf(const Report& report) {
  return report.passed() ? "passed" : std::string(report.KindName());
}

// Two threads add 1, with `add`.
template <typename Add>
void AddTwice(Add add) {
  std::atomic<int> value = 0;
  std::thread a([&] { add(value); });
  std::thread b([&] { add(value); });
  a.join();
  b.join();
  Always(value.load() == 2, "no update is lost");
}

TEST(Atomics, ALoadAndAStoreLoseAnUpdate) {
  const Report report = Explore(ThreadsBody([] {
                                  AddTwice([](std::atomic<int>& value) {
                                    value.store(value.load() + 1);
                                  });
                                }),
                                Fuzz());
  ASSERT_EQ(KindOf(report), "always") << report.Text();
  const std::string text = report.Text();
  EXPECT_TRUE(absl::StrContains(text, "reads atomic 1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "writes atomic 1")) << text;
}

CLOTHO_THREADS_TEST(Atomics, UpdatesAreIndivisible, Fuzz{.schedules = 2'000}) {
  AddTwice([](std::atomic<int>& value) { ++value; });
}

CLOTHO_THREADS_TEST(Atomics, SoIsCompareExchange, Fuzz{.schedules = 2'000}) {
  AddTwice([](std::atomic<int>& value) {
    int seen = value.load();
    while (!value.compare_exchange_weak(seen, seen + 1)) {
    }
  });
}

template <typename T>
void UseEveryOperation() {
  std::atomic<T> value = T{12};
  EXPECT_EQ(value.exchange(T{6}), T{12});
  EXPECT_EQ(value.fetch_add(T{1}), T{6});
  EXPECT_EQ(value.fetch_sub(T{2}), T{7});
  EXPECT_EQ(value.fetch_or(T{8}), T{5});
  EXPECT_EQ(value.fetch_and(T{12}), T{13});
  EXPECT_EQ(value.fetch_xor(T{1}), T{12});
  EXPECT_EQ(value.load(), T{13});
  T expected = T{1};
  EXPECT_FALSE(value.compare_exchange_strong(expected, T{2}));
  EXPECT_EQ(expected, T{13});
  EXPECT_TRUE(value.compare_exchange_strong(expected, T{2}));
  value.store(T{3});
  EXPECT_EQ(value.load(), T{3});
}

CLOTHO_THREADS_TEST(Atomics, OfEverySize, Fuzz{.schedules = 10}) {
  UseEveryOperation<std::uint8_t>();
  UseEveryOperation<std::uint16_t>();
  UseEveryOperation<std::uint32_t>();
  UseEveryOperation<std::uint64_t>();
}

TEST(Atomics, OutsideOfASimulationTheyAreTheRealOnes) {
  UseEveryOperation<std::uint32_t>();
  UseEveryOperation<std::uint64_t>();
  std::atomic<int> value = 0;
  std::thread a([&] {
    for (int i = 0; i < 100'000; ++i) ++value;
  });
  for (int i = 0; i < 100'000; ++i) ++value;
  a.join();
  EXPECT_EQ(value, 200'000);
}

// A lock-free stack (Treiber) that uses its nodes again: the classical ABA
// problem.
class Stack {
 public:
  void Push(int node) {
    int head = head_.load();
    do {
      next_[node].store(head);
    } while (!head_.compare_exchange_weak(head, node));
  }
  int Pop() {
    int head = head_.load();
    while (head >= 0) {
      const int next = next_[head].load();
      if (head_.compare_exchange_weak(head, next)) break;
    }
    return head;
  }

 private:
  std::atomic<int> head_ = -1;
  std::atomic<int> next_[4] = {};
};

TEST(Atomics, TheAbaProblemIsFound) {
  const Report report = Explore(ThreadsBody([] {
                                  Stack stack;
                                  std::atomic<int> holders[4] = {};
                                  for (int i = 0; i < 3; ++i) stack.Push(i);
                                  const auto use = [&] {
                                    for (int i = 0; i < 2; ++i) {
                                      const int node = stack.Pop();
                                      if (node < 0) continue;
                                      Always(holders[node].fetch_add(1) == 0,
                                             "a node has one holder");
                                      holders[node].fetch_sub(1);
                                      stack.Push(node);
                                    }
                                  };
                                  std::thread a(use);
                                  std::thread b(use);
                                  std::thread c(use);
                                  a.join();
                                  b.join();
                                  c.join();
                                }),
                                Fuzz{.schedules = 50'000});
  EXPECT_EQ(KindOf(report), "always") << report.Text();
}

CLOTHO_THREADS_TEST(Atomics, SpinningOnAFlagEnds, Fuzz{.schedules = 20}) {
  std::atomic<bool> go = false;
  std::thread setter([&] {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    go = true;
  });
  while (!go.load()) {
  }
  setter.join();
}

CLOTHO_THREADS_TEST(Atomics, ReleaseAndAcquire, Fuzz{.schedules = 500}) {
  std::atomic<bool> ready = false;
  int payload = 0;
  std::thread writer([&] {
    payload = 42;
    ready.store(true, std::memory_order_release);
  });
  if (ready.load(std::memory_order_acquire)) {
    EXPECT_EQ(payload, 42);
  }
  writer.join();
}

}  // namespace
}  // namespace clotho::sim
