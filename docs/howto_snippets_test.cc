// The C++ of howto.md, compiled and run. What the page shows stands here word
// for word (//tools/docs:howto_test).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/actions.h"
#include "clotho/sim/after_every_step.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/run_until_idle.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/testing.h"
#include "clotho/sim/tracked.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using testing::ElementsAre;

// ---- A dependency, and its mock. ----

class Store {
 public:
  virtual ~Store() = default;
  virtual Coro<std::string> Get(std::string key) = 0;
  virtual Coro<void> Put(std::string key, std::string value) = 0;
};

class MockStore : public Store {
 public:
  MOCK_METHOD(Coro<std::string>, Get, (std::string key), (override));
  MOCK_METHOD(Coro<void>, Put, (std::string key, std::string value),
              (override));
};

class StoreError : public Exception {
 public:
  using Exception::Exception;
};

Coro<void> Rename(Store& store, std::string from, std::string to) {
  std::string value = co_await store.Get(from);
  co_await store.Put(to, std::move(value));
}

CLOTHO_TEST(RenameTest, WritesWhatItHasRead) {
  MockStore store;
  EXPECT_CALL(store, Get("old")).WillOnce(sim::CoReturn("text"));
  EXPECT_CALL(store, Put("new", "text"))
      .WillOnce(sim::CoReturnAfter(absl::Milliseconds(5)));
  co_await Rename(store, "old", "new");
}

CLOTHO_TEST(RenameTest, WritesNothingIfTheReadFails) {
  MockStore store;
  EXPECT_CALL(store, Get("old")).WillOnce(sim::CoThrow(StoreError("down")));
  EXPECT_CALL(store, Put).Times(0);
  EXPECT_THROW(co_await Rename(store, "old", "new"), StoreError);
}

// ---- A timeout. ----

Coro<std::string> GetOr(Store& store, std::string key, std::string fallback) {
  try {
    co_return co_await WaitFor(store.Get(key), absl::Seconds(2));
  } catch (const TimeoutError&) {
    co_return fallback;
  }
}

CLOTHO_TEST(GetOrTest, GivesUpAfterTwoSeconds) {
  MockStore store;
  EXPECT_CALL(store, Get("k"))
      .WillOnce(sim::CoReturnAfter(absl::Hours(1), "too late"));
  EXPECT_EQ(co_await GetOr(store, "k", "none"), "none");
  EXPECT_EQ(GetRunningLoop().Time(), absl::Seconds(2));  // Exact.
}

CLOTHO_TEST(GetOrTest, HasOneOfTwoResultsAtTheDeadline, sim::Exhaustive{}) {
  MockStore store;
  EXPECT_CALL(store, Get("k"))
      .WillOnce(sim::CoReturnAfter(absl::Seconds(2), "just in time"));
  const std::string text = co_await GetOr(store, "k", "none");
  EXPECT_THAT(text, testing::AnyOf("just in time", "none"));
  Sometimes(text == "none", "the deadline comes first");
  Sometimes(text != "none", "the answer comes first");
}

// ---- Retries with backoff. ----

Coro<std::string> GetWithRetries(Store& store, std::string key) {
  absl::Duration pause = absl::Seconds(1);
  for (int attempt = 1;; ++attempt) {
    Outcome<std::string> got = co_await Catch(store.Get(key));
    if (got.ok()) co_return got.value();
    if (attempt == 4) std::rethrow_exception(got.exception());
    co_await Sleep(pause);
    pause *= 2;
  }
}

CLOTHO_TEST(RetryTest, WaitsLongerEachTime) {
  MockStore store;
  std::vector<absl::Duration> calls;
  EXPECT_CALL(store, Get("k"))
      .WillRepeatedly(
          testing::DoAll([&] { calls.push_back(GetRunningLoop().Time()); },
                         sim::CoThrow(StoreError("down"))));
  EXPECT_THROW(co_await GetWithRetries(store, "k"), StoreError);
  EXPECT_THAT(calls, ElementsAre(absl::Seconds(0), absl::Seconds(1),
                                 absl::Seconds(3), absl::Seconds(7)));
}

CLOTHO_TEST(RetryTest, ReturnsTheFirstAnswer) {
  MockStore store;
  EXPECT_CALL(store, Get("k"))
      .WillOnce(sim::CoThrow(StoreError("down")))
      .WillOnce(sim::CoReturn("text"));
  EXPECT_EQ(co_await GetWithRetries(store, "k"), "text");
  EXPECT_EQ(GetRunningLoop().Time(), absl::Seconds(1));
}

// ---- Races. ----

// Reads take one millisecond, writes two.
class FakeStore : public Store {
 public:
  Coro<std::string> Get(std::string key) override {
    std::string value = values_[key];
    co_await Sleep(absl::Milliseconds(1));
    co_return value;
  }
  Coro<void> Put(std::string key, std::string value) override {
    co_await Sleep(absl::Milliseconds(2));
    values_[key] = std::move(value);
  }

 private:
  std::map<std::string, std::string> values_;
};

class RacyCache {
 public:
  explicit RacyCache(Store& store) : store_(store) {}

  Coro<std::string> Get(std::string key) {
    if (values_.Read().contains(key)) co_return values_.Read().at(key);
    std::string value = co_await store_.Get(key);
    values_.Write()[key] = value;  // The key may be invalid by now.
    co_return value;
  }
  void Invalidate(const std::string& key) { values_.Write().erase(key); }

 private:
  Store& store_;
  sim::Tracked<std::map<std::string, std::string>> values_{"values"};
};

class Cache {
 public:
  explicit Cache(Store& store) : store_(store) {}

  Coro<std::string> Get(std::string key) {
    if (values_.Read().contains(key)) co_return values_.Read().at(key);
    const int version = version_.Read();
    std::string value = co_await store_.Get(key);
    if (version == version_.Read()) values_.Write()[key] = value;
    co_return value;
  }
  void Invalidate(const std::string& key) {
    ++version_.Write();
    values_.Write().erase(key);
  }

 private:
  Store& store_;
  sim::Tracked<std::map<std::string, std::string>> values_{"values"};
  sim::Tracked<int> version_{"version", 0};
};

template <typename AnyCache>
Coro<void> ServesTheNewValue() {
  FakeStore store;
  co_await store.Put("k", "old");
  AnyCache cache(store);
  Task<std::string> reader = CreateTask(cache.Get("k"), {.name = "reader"});
  co_await store.Put("k", "new");
  cache.Invalidate("k");
  co_await reader;
  const std::string value = co_await cache.Get("k");
  Always(value == "new", "an invalid value is not served");
}

CLOTHO_TEST(CacheTest, ServesTheNewValue, sim::Fuzz{}) {
  co_await ServesTheNewValue<Cache>();
}

TEST(CacheTest, TheTestFindsTheRaceOfRacyCache) {
  EXPECT_TRUE(sim::Explore(ServesTheNewValue<RacyCache>, sim::Fifo{}).passed());
  EXPECT_FALSE(
      sim::Explore(ServesTheNewValue<RacyCache>, sim::Fuzz{}).passed());
}

// ---- A schedule that failed once. ----

CLOTHO_TEST(CacheTest, StaysFixed, sim::Fuzz{},
            sim::ReplayFirst("c1/0/3:t", "served an invalid value")) {
  co_await ServesTheNewValue<Cache>();
}

// ---- An invariant. ----

class Pool {
 public:
  explicit Pool(int size) : size_(size), permits_(size) {}

  Coro<void> Use() {
    auto guard = co_await permits_.Acquire();
    ++used_;
    co_await Sleep(absl::Milliseconds(1));
    --used_;
  }
  int size() const { return size_; }
  int used() const { return used_; }

 private:
  const int size_;
  int used_ = 0;
  Semaphore permits_;
};

CLOTHO_TEST(PoolTest, NeverLendsMoreThanItHas, sim::Fuzz{}) {
  Pool pool(2);
  auto check =
      sim::AfterEveryStep("no more connections are used than there are",
                          [&] { return pool.used() <= pool.size(); });
  std::vector<Coro<void>> users;
  for (int i = 0; i < 5; ++i) users.push_back(pool.Use());
  co_await GatherStructured(std::move(users));
}

// ---- Cancellation. ----

Coro<void> Work(Semaphore& connections) {
  auto guard = co_await connections.Acquire();
  co_await Sleep(absl::Milliseconds(1));  // Asks.
  co_await Sleep(absl::Milliseconds(1));  // Reads the answer.
}

CLOTHO_TEST(WorkTest, GivesItsConnectionBack, sim::Exhaustive{}) {
  Semaphore connections(1);
  Task<void> worker = CreateTask(Work(connections), {.name = "worker"});
  co_await Sleep(absl::ZeroDuration());  // How far does the worker get?
  const absl::Duration when = GetRunningLoop().Time();
  worker.Cancel();
  const Outcome<void> outcome = co_await Catch(worker);
  EXPECT_FALSE(connections.Locked());
  const bool cancelled = outcome.cancelled();
  Sometimes(cancelled && when == absl::ZeroDuration(), "cancelled at once");
  Sometimes(cancelled && when == absl::Milliseconds(1), "between the two");
  Sometimes(cancelled && when == absl::Milliseconds(2), "just before the end");
  Sometimes(!cancelled, "the worker has ended");
}

// Its twin releases by hand, which a cancellation skips.
Coro<void> CarelessWork(Semaphore& connections) {
  (co_await connections.Acquire()).Detach();
  co_await Sleep(absl::Milliseconds(1));
  connections.Release();
}

TEST(WorkTest, CarelessWorkDoesNot) {
  const sim::Report report = sim::Explore(
      []() -> Coro<void> {
        Semaphore connections(1);
        Task<void> worker = CreateTask(CarelessWork(connections));
        co_await Sleep(absl::ZeroDuration());
        worker.Cancel();
        const Outcome<void> outcome = co_await Catch(worker);
        Sometimes(outcome.cancelled(), "the worker was cancelled");
        Always(!connections.Locked(), "it gives its connection back");
      },
      sim::Exhaustive{});
  EXPECT_FALSE(report.passed());
}

// ---- Faults. ----

class FaultyStore : public Store {
 public:
  Coro<std::string> Get(std::string) override {
    ++calls;
    if (sim::Buggify()) co_await Sleep(absl::Minutes(1));  // Overloaded.
    if (sim::Buggify()) throw StoreError("connection reset");
    // One of three replicas answers.
    constexpr absl::Duration kDistances[] = {
        absl::Milliseconds(1), absl::Milliseconds(20), absl::Milliseconds(90)};
    co_await Sleep(kDistances[sim::Choose(3)]);
    co_return "text";
  }
  Coro<void> Put(std::string, std::string) override { co_return; }

  int calls = 0;
};

CLOTHO_TEST(RetryTest, AsksFourTimesAtMost, sim::Fuzz{.schedules = 2'000}) {
  FaultyStore store;
  const Outcome<std::string> got = co_await Catch(GetWithRetries(store, "k"));
  EXPECT_TRUE(got.ok() || store.calls == 4) << store.calls;
  Sometimes(got.ok() && store.calls == 4, "the last attempt succeeds");
}

CLOTHO_TEST(RetryTest, FailsOnlyIfAllAttemptsDo, sim::Exhaustive{}) {
  MockStore store;
  EXPECT_CALL(store, Get)
      .WillRepeatedly(sim::CoChoose(sim::CoReturn("text"),
                                    sim::CoThrow(StoreError("down"))));
  const Outcome<std::string> got = co_await Catch(GetWithRetries(store, "k"));
  Sometimes(!got.ok(), "all four attempts fail");
}

// ---- State that survives executions. ----

int& OpenFiles() {
  static int open = 0;
  return open;
}

CLOTHO_TEST(OpenFilesTest, StartsWithNone, sim::Fuzz{}) {
  OpenFiles() = 0;  // What the previous execution has left.
  ++OpenFiles();
  co_await Sleep(absl::Milliseconds(1));
  EXPECT_EQ(OpenFiles(), 1);
}

class TempFolderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ++made; }        // Runs once.
  void SetUp() override { files_ = {"a", "b"}; }  // Runs in each execution.

  static inline int made = 0;    // Shared by all executions.
  std::set<std::string> files_;  // New in each execution.
};

CLOTHO_TEST_F(TempFolderTest, ForgetsDeletedFiles, sim::Fuzz{}) {
  files_.erase("a");
  co_await Sleep(absl::Milliseconds(1));
  EXPECT_THAT(files_, ElementsAre("b"));
  EXPECT_EQ(made, 1);
}

// ---- Randomness and clocks. ----

// In production, a function that calls absl::Uniform.
using Draw = std::function<std::size_t(std::size_t size)>;

std::string PickReplica(const std::vector<std::string>& replicas,
                        const Draw& draw) {
  return replicas[draw(replicas.size())];
}

CLOTHO_TEST(PickReplicaTest, PicksEachOfThem, sim::Exhaustive{}) {
  const Draw draw = [](std::size_t size) { return sim::Choose(size); };
  const std::string replica = PickReplica({"a", "b", "c"}, draw);
  Sometimes(replica == "a", "the first");
  Sometimes(replica == "c", "the last");
  co_return;
}

CLOTHO_TEST(PickReplicaTest, PicksOneOfThem, sim::Fuzz{}) {
  std::mt19937_64 random(42);  // In the body: new in each execution.
  const Draw draw = [&](std::size_t size) { return random() % size; };
  const std::string replica = PickReplica({"a", "b", "c"}, draw);
  co_await Sleep(absl::Milliseconds(1));
  EXPECT_THAT(replica, testing::AnyOf("a", "b", "c"));
}

// In production, absl::Now.
using Now = std::function<absl::Time()>;

class Session {
 public:
  Session(absl::Duration lasts, Now now)
      : now_(std::move(now)), ends_(now_() + lasts) {}
  bool HasExpired() const { return now_() >= ends_; }

 private:
  const Now now_;
  const absl::Time ends_;
};

CLOTHO_TEST(SessionTest, ExpiresAfterAnHour) {
  Session session(absl::Hours(1), [] {
    return absl::FromUnixSeconds(1'700'000'000) + GetRunningLoop().Time();
  });
  co_await Sleep(absl::Hours(1) - absl::Nanoseconds(1));
  EXPECT_FALSE(session.HasExpired());
  co_await Sleep(absl::Nanoseconds(1));
  EXPECT_TRUE(session.HasExpired());
}

// ---- Assertions, and skipping. ----

CLOTHO_TEST(GetOrTest, ReadsTwoKeys) {
  FakeStore store;
  co_await store.Put("a", "x");
  const std::string text = co_await GetOr(store, "a", "none");
  CLOTHO_ASSERT_EQ(text.size(), 1u) << "nothing below makes sense then";
  EXPECT_EQ(text[0], 'x');
}

bool HasHardware() { return false; }

CLOTHO_TEST(HardwareTest, Answers, sim::Fuzz{}) {
  if (!HasHardware()) CLOTHO_SKIP("needs the device");
  co_await Sleep(absl::Seconds(1));
}

// ---- From std::future. ----

int SlowSize(const std::string& text) { return static_cast<int>(text.size()); }

int SumWithThreads(std::string a, std::string b) {
  std::future<int> first =
      std::async(std::launch::async, SlowSize, std::move(a));
  const int second = SlowSize(b);
  return first.get() + second;
}

Coro<int> Size(std::string text) {
  co_await Sleep(absl::Milliseconds(1));  // Stands for the slow part.
  co_return static_cast<int>(text.size());
}

Coro<int> Sum(std::string a, std::string b) {
  auto [first, second] =
      co_await GatherStructured(Size(std::move(a)), Size(std::move(b)));
  co_return first + second;
}

CLOTHO_TEST(SumTest, IsThatOfThreads, sim::Exhaustive{}) {
  EXPECT_EQ(co_await Sum("ab", "cde"), 5);
}

TEST(SumTest, OfThreads) { EXPECT_EQ(SumWithThreads("ab", "cde"), 5); }

// ---- From a pool of threads. ----

int CountWords(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), ' ')) + 1;
}

Coro<int> CountAll(ThreadPoolExecutor& pool, std::vector<std::string> texts) {
  std::vector<Future<int>> counts;
  for (const std::string& text : texts) {
    counts.push_back(GetRunningLoop().RunInExecutor(
        &pool, [text] { return CountWords(text); }));
  }
  int sum = 0;
  for (const int count : co_await Gather(counts)) sum += count;
  co_return sum;
}

CLOTHO_TEST(CountAllTest, CountsInAnyOrder, sim::Fuzz{},
            sim::JobDuration{.time = [](const sim::JobInfo& job) -> Delay {
              return absl::Milliseconds(10 * job.number);
            }}) {
  ThreadPoolExecutor pool({.max_workers = 2});
  const std::vector<std::string> texts = {"a b", "c", "d e f"};
  EXPECT_EQ(co_await CountAll(pool, texts), 6);
  EXPECT_GE(GetRunningLoop().Time(), absl::Milliseconds(40));
}

// ---- From callbacks. ----

class SizeService {
 public:
  virtual ~SizeService() = default;
  // Calls `done` later, in any thread.
  virtual void GetSize(std::string name, std::function<void(int)> done) = 0;
};

Coro<int> GetSize(SizeService& service, std::string name) {
  const ConcurrentFuture<int> size;
  service.GetSize(std::move(name),
                  [size](int result) { size.SetResult(result); });
  co_return co_await WrapFuture(size);
}

class FakeSizeService : public SizeService {
 public:
  void GetSize(std::string name, std::function<void(int)> done) override {
    GetRunningLoop().CallLater(absl::Milliseconds(3), [name, done] {
      done(static_cast<int>(name.size()));
    });
  }
};

CLOTHO_TEST(SizeServiceTest, IsAwaited, sim::Fuzz{}) {
  FakeSizeService service;
  EXPECT_EQ(co_await GetSize(service, "four"), 4);
  EXPECT_EQ(GetRunningLoop().Time(), absl::Milliseconds(3));
}

// ---- From Asio's coroutines. ----

Coro<int> Ask(Queue<int>& requests) {
  co_await requests.Put(1);
  co_await Sleep(absl::Milliseconds(10));
  co_return 7;
}

Coro<int> AskWithin(Queue<int>& requests, absl::Duration timeout) {
  auto [index, answer] = co_await Race(Ask(requests), Sleep(timeout));
  co_return index == 0 ? std::get<0>(answer) : -1;
}

CLOTHO_TEST(AskTest, HasALimit) {
  Queue<int> requests(4);
  EXPECT_EQ(co_await AskWithin(requests, absl::Milliseconds(20)), 7);
  EXPECT_EQ(co_await AskWithin(requests, absl::Milliseconds(5)), -1);
  EXPECT_EQ(requests.Qsize(), 2u);
}

}  // namespace
}  // namespace clotho
