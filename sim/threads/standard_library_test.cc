// The C++ library's concurrency, used rightly: whatever the schedule, nothing
// fails.

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "clotho/sim/options.h"
#include "clotho/sim/threads.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// (Under AddressSanitizer, threads take long to make.)
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr Fuzz kSearch = {.schedules = 30};
#else
constexpr Fuzz kSearch = {.schedules = 300};
#endif

CLOTHO_THREADS_TEST(StandardLibrary, MutexesExclude, kSearch) {
  std::mutex mutex;
  int inside = 0;
  int sum = 0;
  const auto add = [&] {
    for (int i = 0; i < 3; ++i) {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(++inside, 1);
      sum += 1;
      std::this_thread::yield();
      --inside;
    }
  };
  std::thread a(add);
  std::thread b(add);
  std::thread c(add);
  a.join();
  b.join();
  c.join();
  EXPECT_EQ(sum, 9);
}

CLOTHO_THREADS_TEST(StandardLibrary, RecursiveMutexes, kSearch) {
  std::recursive_mutex mutex;
  int value = 0;
  const auto twice = [&] {
    const std::lock_guard outer(mutex);
    const int before = value;
    {
      const std::lock_guard inner(mutex);
      value = before + 1;
    }
    EXPECT_EQ(value, before + 1);
  };
  std::jthread a(twice);
  std::jthread b(twice);
}

CLOTHO_THREADS_TEST(StandardLibrary, ScopedLockOfTwo, kSearch) {
  std::mutex left;
  std::mutex right;
  int value = 0;
  {
    std::jthread a([&] {
      const std::scoped_lock lock(left, right);
      ++value;
    });
    std::jthread b([&] {
      const std::scoped_lock lock(right, left);
      ++value;
    });
  }
  EXPECT_EQ(value, 2);
}

CLOTHO_THREADS_TEST(StandardLibrary, TimedMutexes, kSearch) {
  std::timed_mutex mutex;
  std::unique_lock held(mutex);
  std::jthread other([&] {
    const auto begin = steady_clock::now();
    EXPECT_FALSE(mutex.try_lock_for(milliseconds(50)));
    EXPECT_GE(steady_clock::now() - begin, milliseconds(50));
    EXPECT_TRUE(mutex.try_lock_until(steady_clock::now() + seconds(10)));
    mutex.unlock();
  });
  std::this_thread::sleep_for(seconds(1));
  held.unlock();
}

CLOTHO_THREADS_TEST(StandardLibrary, ConditionVariables, kSearch) {
  std::mutex mutex;
  std::condition_variable not_empty;
  std::condition_variable not_full;
  std::deque<int> queue;
  const auto put = [&](int item) {
    std::unique_lock lock(mutex);
    not_full.wait(lock, [&] { return queue.size() < 2; });
    queue.push_back(item);
    not_empty.notify_one();
  };
  const auto take = [&] {
    std::unique_lock lock(mutex);
    not_empty.wait(lock, [&] { return !queue.empty(); });
    const int item = queue.front();
    queue.pop_front();
    not_full.notify_one();
    return item;
  };
  std::jthread producer([&] {
    for (int i = 0; i < 4; ++i) put(i);
  });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(), i);
}

CLOTHO_THREADS_TEST(StandardLibrary, WaitForSucceedsOrTimesOut, kSearch) {
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  std::jthread setter([&] {
    std::this_thread::sleep_for(milliseconds(100));
    const std::lock_guard lock(mutex);
    ready = true;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  EXPECT_FALSE(changed.wait_for(lock, milliseconds(10), [&] { return ready; }));
  EXPECT_TRUE(changed.wait_for(lock, hours(1), [&] { return ready; }));
}

CLOTHO_THREADS_TEST(StandardLibrary, ConditionVariableAnyAndStopTokens,
                    kSearch) {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool stopped = false;
  std::jthread waiter([&](std::stop_token token) {
    std::unique_lock lock(mutex);
    EXPECT_FALSE(changed.wait(lock, token, [] { return false; }));
    stopped = true;
  });
  std::stop_callback callback(waiter.get_stop_token(), [] {});
  waiter.request_stop();
  waiter.join();
  EXPECT_TRUE(stopped);
}

CLOTHO_THREADS_TEST(StandardLibrary, SharedMutexes, kSearch) {
  std::shared_mutex mutex;
  int value = 0;
  int readers = 0;
  const auto read = [&] {
    const std::shared_lock lock(mutex);
    const int seen = value;
    ++readers;
    std::this_thread::yield();
    EXPECT_EQ(value, seen);
    --readers;
  };
  const auto write = [&] {
    const std::unique_lock lock(mutex);
    EXPECT_EQ(readers, 0);
    ++value;
  };
  std::jthread a(read);
  std::jthread b(write);
  std::jthread c(read);
  write();
}

CLOTHO_THREADS_TEST(StandardLibrary, SharedTimedMutexes, kSearch) {
  std::shared_timed_mutex mutex;
  std::shared_lock held(mutex);
  std::jthread writer([&] {
    EXPECT_FALSE(mutex.try_lock_for(milliseconds(20)));
    EXPECT_TRUE(mutex.try_lock_shared_for(milliseconds(20)));
    mutex.unlock_shared();
  });
  writer.join();
}

CLOTHO_THREADS_TEST(StandardLibrary, Latches, kSearch) {
  std::latch done(3);
  int finished = 0;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      {
        const std::lock_guard lock(mutex);
        ++finished;
      }
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(finished, 3);
}

CLOTHO_THREADS_TEST(StandardLibrary, Barriers, kSearch) {
  int phase = 0;
  std::barrier meeting(2, [&]() noexcept { ++phase; });
  const auto work = [&] {
    for (int i = 1; i <= 3; ++i) {
      meeting.arrive_and_wait();
      EXPECT_GE(phase, i);
    }
  };
  std::jthread other(work);
  work();
}

CLOTHO_THREADS_TEST(StandardLibrary, BinarySemaphores, kSearch) {
  std::binary_semaphore ping(0);
  std::binary_semaphore pong(0);
  int value = 0;
  std::jthread other([&] {
    for (int i = 0; i < 3; ++i) {
      ping.acquire();
      EXPECT_EQ(value, i);
      ++value;
      pong.release();
    }
  });
  for (int i = 0; i < 3; ++i) {
    ping.release();
    pong.acquire();
    EXPECT_EQ(value, i + 1);
  }
  EXPECT_FALSE(pong.try_acquire_for(milliseconds(5)));
}

CLOTHO_THREADS_TEST(StandardLibrary, CallOnceWithThrow, kSearch) {
  std::once_flag once;
  int calls = 0;
  int done = 0;
  const auto call = [&] {
    try {
      std::call_once(once, [&] {
        if (++calls == 1) throw std::runtime_error("the first fails");
        std::this_thread::yield();
        ++done;
      });
      EXPECT_EQ(done, 1);
    } catch (const std::runtime_error&) {
      EXPECT_EQ(calls, 1);
    }
  };
  std::jthread a(call);
  std::jthread b(call);
  call();
}

CLOTHO_THREADS_TEST(StandardLibrary, Promises, kSearch) {
  std::promise<std::string> promise;
  std::shared_future<std::string> future = promise.get_future().share();
  std::jthread a([future] { EXPECT_EQ(future.get(), "x"); });
  std::jthread b([future] { EXPECT_EQ(future.get(), "x"); });
  EXPECT_EQ(future.wait_for(milliseconds(1)), std::future_status::timeout);
  promise.set_value("x");
}

CLOTHO_THREADS_TEST(StandardLibrary, BrokenPromises, kSearch) {
  std::future<int> future;
  {
    std::promise<int> promise;
    future = promise.get_future();
  }
  EXPECT_THROW(future.get(), std::future_error);
}

CLOTHO_THREADS_TEST(StandardLibrary, Asyncs, kSearch) {
  std::vector<std::future<int>> results;
  for (int i = 0; i < 5; ++i) {
    results.push_back(std::async(std::launch::async, [i] { return i * i; }));
  }
  std::future<int> failing = std::async(
      std::launch::async, []() -> int { throw std::out_of_range("far"); });
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i * i);
  }
  EXPECT_THROW(failing.get(), std::out_of_range);
}

CLOTHO_THREADS_TEST(StandardLibrary, PackagedTasks, kSearch) {
  std::packaged_task<int(int)> task([](int x) { return x + 1; });
  std::future<int> result = task.get_future();
  std::jthread thread(std::move(task), 4);
  EXPECT_EQ(result.get(), 5);
}

CLOTHO_THREADS_TEST(StandardLibrary, AtomicWait, kSearch) {
  std::atomic<int> narrow = 0;
  std::atomic<std::int64_t> wide = 0;
  std::jthread other([&] {
    narrow.store(1);
    narrow.notify_all();
    wide.store(1);
    wide.notify_one();
  });
  narrow.wait(0);
  wide.wait(0);
  EXPECT_EQ(narrow + wide, 2);
}

CLOTHO_THREADS_TEST(StandardLibrary, AtomicSharedPointers, kSearch) {
  std::atomic<std::shared_ptr<int>> pointer = std::make_shared<int>(1);
  std::jthread other([&] { pointer.store(std::make_shared<int>(2)); });
  const std::shared_ptr<int> seen = pointer.load();
  EXPECT_TRUE(*seen == 1 || *seen == 2);
}

CLOTHO_THREADS_TEST(StandardLibrary, SpinningWithYield, kSearch) {
  std::atomic<bool> go = false;
  std::jthread other([&] {
    std::this_thread::sleep_for(seconds(3));
    go = true;
  });
  while (!go) std::this_thread::yield();
}

CLOTHO_THREADS_TEST(StandardLibrary, SpinningOnTheClock, kSearch) {
  std::atomic<bool> ended = false;
  std::jthread other([&] { ended = true; });
  const auto until = steady_clock::now() + milliseconds(1);
  while (steady_clock::now() < until) {
  }
  other.join();
  EXPECT_TRUE(ended);
}

CLOTHO_THREADS_TEST(StandardLibrary, Sleeps, kSearch) {
  const auto steady = steady_clock::now();
  const auto system = system_clock::now();
  std::this_thread::sleep_for(hours(24));
  EXPECT_GE(steady_clock::now() - steady, hours(24));
  EXPECT_LT(steady_clock::now() - steady, hours(24) + seconds(1));
  std::this_thread::sleep_until(system + hours(48));
  EXPECT_GE(system_clock::now() - system, hours(48));
}

struct Counted {
  explicit Counted(int& destroyed) : destroyed(destroyed) {}
  ~Counted() { ++destroyed; }
  int& destroyed;
};

CLOTHO_THREADS_TEST(StandardLibrary, ThreadLocals, kSearch) {
  static thread_local int value = 7;
  static int destroyed;
  destroyed = 0;
  const auto use = [] {
    EXPECT_EQ(value, 7);
    static thread_local Counted counted(destroyed);
    EXPECT_EQ(&counted.destroyed, &destroyed);
    value = 8;
    std::this_thread::yield();
    EXPECT_EQ(value, 8);
  };
  std::thread a(use);
  std::thread b(use);
  EXPECT_EQ(value, 7);
  a.join();
  b.join();
  EXPECT_EQ(destroyed, 2);
  EXPECT_EQ(value, 7);
}

CLOTHO_THREADS_TEST(StandardLibrary, ExceptionsInSeveralThreads, kSearch) {
  const auto nested = [](int depth) {
    try {
      throw std::runtime_error("outer");
    } catch (...) {
      std::this_thread::yield();
      try {
        throw depth;
      } catch (int caught) {
        std::this_thread::yield();
        EXPECT_EQ(caught, depth);
      }
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      EXPECT_THROW(std::rethrow_exception(std::current_exception()),
                   std::runtime_error);
    }
  };
  std::jthread a(nested, 1);
  std::jthread b(nested, 2);
  nested(3);
}

CLOTHO_THREADS_TEST(StandardLibrary, FunctionStatics, kSearch) {
  const auto get = [] {
    static const std::string text(100, 'x');
    return text.size();
  };
  std::jthread a([&] { EXPECT_EQ(get(), 100u); });
  EXPECT_EQ(get(), 100u);
}

CLOTHO_THREADS_TEST(StandardLibrary, ThreadIds, kSearch) {
  std::set<std::thread::id> ids = {std::this_thread::get_id()};
  std::thread a([] {});
  std::thread b([] {});
  ids.insert(a.get_id());
  ids.insert(b.get_id());
  EXPECT_EQ(ids.size(), 3u);
  std::thread::id seen;
  std::thread c([&] { seen = std::this_thread::get_id(); });
  const std::thread::id id = c.get_id();
  a.join();
  b.join();
  c.join();
  EXPECT_EQ(seen, id);
}

CLOTHO_THREADS_TEST(StandardLibrary, DetachedThreads, kSearch) {
  auto mutex = std::make_shared<std::mutex>();
  std::thread([mutex] { const std::lock_guard lock(*mutex); }).detach();
  std::thread([mutex] {
    // It is still asleep when the test ends.
    std::this_thread::sleep_for(hours(1));
  }).detach();
}

CLOTHO_THREADS_TEST(StandardLibrary, ManyThreads, Fuzz{.schedules = 20}) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  int sum = 0;
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([&] {
      const std::lock_guard lock(mutex);
      ++sum;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 100);
}

}  // namespace
}  // namespace clotho::sim
