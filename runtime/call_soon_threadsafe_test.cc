// CallSoonThreadsafe: rules X-01, L-03.4 and L-34.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallSoonThreadsafeTest : public internal::RuntimeTest {};

TEST_F(CallSoonThreadsafeTest, InTheLoopsThreadItIsCallSoon) {
  loop_.CallSoon([this] {
    loop_.CallSoon([this] { Log("a"); });
    loop_.CallSoonThreadsafe([this] { Log("b"); });
    loop_.CallSoon([this] { Log("c"); });
  });
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a", "i2 t=0 b", "i2 t=0 c"));
}

TEST_F(CallSoonThreadsafeTest, WhileTheLoopDoesNotRunTheOrderIsKeptToo) {
  const auto main = [this]() -> Coro<void> {
    Log("main");
    co_return;
  };
  loop_.CallSoonThreadsafe([this] { Log("a"); });
  loop_.CallSoon([this] { Log("b"); });
  loop_.CallSoonThreadsafe([this] { Log("c"); });
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 a", "i1 t=0 b", "i1 t=0 c", "i1 t=0 main"));
}

TEST_F(CallSoonThreadsafeTest, ComesBehindWhatIsReadyAndBeforeTimers) {
  loop_.CallLater(absl::ZeroDuration(), [this] { Log("timer"); });
  loop_.CallSoon([this] { Log("ready"); });
  std::thread([this] {
    loop_.CallSoonThreadsafe([this] { Log("one"); });
    loop_.CallSoonThreadsafe([this] { Log("two"); });
  }).join();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 ready", "i1 t=0 one", "i1 t=0 two",
                                "i1 t=0 timer"));
}

TEST_F(CallSoonThreadsafeTest, TheClockDoesNotMoveWhileThereIsMail) {
  loop_.CallLater(absl::Seconds(1), [this] { Log("timer"); });
  std::thread([this] {
    loop_.CallSoonThreadsafe([this] { Log("mail"); });
  }).join();
  RunToStandstill();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 mail", "i2 t=1 timer"));
}

TEST_F(CallSoonThreadsafeTest, RunsInACopyOfTheCallersContext) {  // CX-01.
  const ContextVar<std::string> name("name", "nobody");
  Context mine;
  mine.Run([&] { name.Set("the loop's thread"); });
  std::thread([&] {
    loop_.CallSoonThreadsafe([&] { Log(name.Get()); });
    name.Set("another thread");
    loop_.CallSoonThreadsafe([&] {
      Log(name.Get());
      name.Set("changed");
    });
    loop_.CallSoonThreadsafe([&] { Log(name.Get()); });
    Context given;
    given.Run([&] { name.Set("given"); });
    loop_.CallSoonThreadsafe([&] { Log(name.Get()); }, given);
  }).join();
  mine.Run([&] { Iterate(); });
  EXPECT_THAT(log_, ElementsAre("i1 t=0 nobody", "i1 t=0 another thread",
                                "i1 t=0 another thread", "i1 t=0 given"));
}

TEST_F(CallSoonThreadsafeTest, WhatItThrowsGoesToTheExceptionHandler) {
  std::thread([this] {
    loop_.CallSoonThreadsafe([] { throw ValueError("from afar"); });
  }).join();
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre("Exception in callback: ValueError: from afar"));
}

TEST_F(CallSoonThreadsafeTest, AClosedLoopTakesNothing) {  // L-34.
  loop_.Close();
  const auto captured = std::make_shared<int>(1);
  std::thread([&] {
    EXPECT_EQ(
        internal::Thrown([&] { loop_.CallSoonThreadsafe([captured] {}); }),
        "RuntimeError: Event loop is closed");
  }).join();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(CallSoonThreadsafeTest, WhatIsStillThereWhenTheLoopClosesIsDropped) {
  const auto captured = std::make_shared<int>(1);
  std::thread([&] {
    loop_.CallSoonThreadsafe([captured, this] { Log("never"); });
  }).join();
  EXPECT_EQ(captured.use_count(), 2);
  loop_.Close();
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(CallSoonThreadsafeTest, AResetLoopHasForgottenItAndTakesNewMail) {
  std::thread([this] {
    loop_.CallSoonThreadsafe([this] { Log("never"); });
  }).join();
  loop_.Reset();
  std::thread([this] {
    loop_.CallSoonThreadsafe([this] { Log("after the reset"); });
  }).join();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i1 t=0 after the reset"));
}

TEST(CallSoonThreadsafeRealTest, WakesALoopThatWaitsForEver) {
  EventLoop loop;
  std::thread other([&] { loop.CallSoonThreadsafe([&] { loop.Stop(); }); });
  loop.RunForever();  // Nothing is ready, and no timer is set.
  other.join();
}

TEST(CallSoonThreadsafeRealTest, WakesALoopThatWaitsForATimer) {
  EventLoop loop;
  bool fired = false;
  loop.CallLater(absl::Hours(1), [&] { fired = true; });
  std::thread other([&] { loop.CallSoonThreadsafe([&] { loop.Stop(); }); });
  loop.RunForever();
  other.join();
  EXPECT_FALSE(fired);
}

TEST(CallSoonThreadsafeRealTest, NothingIsLostAndEachThreadKeepsItsOrder) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 2'000;
  EventLoop loop;
  std::vector<std::vector<int>> seen(kThreads);
  int left = kThreads;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        loop.CallSoonThreadsafe([&seen, t, i] { seen[t].push_back(i); });
      }
      loop.CallSoonThreadsafe([&] {
        if (--left == 0) loop.Stop();
      });
    });
  }
  loop.RunForever();
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& calls : seen) {
    ASSERT_EQ(calls.size(), static_cast<std::size_t>(kCalls));
    EXPECT_TRUE(std::is_sorted(calls.begin(), calls.end()));
  }
}

TEST(CallSoonThreadsafeRealTest, OthersMayAskWhetherTheLoopRuns) {  // L-35.
  EventLoop loop;
  EXPECT_FALSE(loop.IsRunning());
  std::thread other([&] {
    while (!loop.IsRunning()) std::this_thread::yield();
    loop.CallSoonThreadsafe([&] { loop.Stop(); });
  });
  loop.RunForever();
  other.join();
  EXPECT_FALSE(loop.IsRunning());
}

TEST(CallSoonThreadsafeRealTest, ClosingRacesWithCallers) {
  // Each call runs, is dropped, or throws. None is lost, and none touches a
  // destroyed loop.
  const auto captured = std::make_shared<int>(1);
  auto loop = std::make_unique<EventLoop>();
  std::atomic<bool> refused = false;
  std::thread other([&] {
    try {
      while (true) loop->CallSoonThreadsafe([captured] {});
    } catch (const RuntimeError&) {
      refused = true;
    }
  });
  loop->CallLater(absl::Milliseconds(1), [&] { loop->Stop(); });
  loop->RunForever();
  loop->Close();
  other.join();
  loop.reset();
  EXPECT_TRUE(refused);
  EXPECT_EQ(captured.use_count(), 1);
}

}  // namespace
}  // namespace clotho
