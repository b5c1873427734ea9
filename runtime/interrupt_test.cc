// Ctrl-C while a Runner runs: rule R-04.

#include <pthread.h>
#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/runner.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;

using Handler = void (*)(int);

Handler Disposition() {
  struct sigaction action;
  sigaction(SIGINT, nullptr, &action);
  return action.sa_handler;
}

class InterruptTest : public testing::Test {
 protected:
  void SetUp() override { signal(SIGINT, SIG_DFL); }
  void TearDown() override {
    EXPECT_EQ(Disposition(), SIG_DFL) << "as it was before";
  }
};

TEST_F(InterruptTest, CancelsTheMainTaskAndComesOutAsKeyboardInterrupt) {
  std::vector<std::string> log;
  const auto main = [&]() -> Coro<void> {
    const auto interrupt = [] { raise(SIGINT); };
    GetRunningLoop().CallLater(absl::Milliseconds(1), interrupt);
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      log.push_back("cancelled");
      throw;
    }
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(main()); }), "KeyboardInterrupt");
  EXPECT_THAT(log, ElementsAre("cancelled"));
}

TEST_F(InterruptTest, WakesALoopThatWaits) {
  // In a different thread than the loop's, so that only the handler ends its
  // wait.
  std::thread other;
  const auto main = [&]() -> Coro<void> {
    other = std::thread([] { pthread_kill(pthread_self(), SIGINT); });
    co_await Sleep(absl::Hours(1));
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(main()); }), "KeyboardInterrupt");
  other.join();
}

TEST_F(InterruptTest, AMainTaskThatGoesOnGivesItsResult) {
  const auto main = []() -> Coro<int> {
    raise(SIGINT);
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
    }
    co_return 7;
  };
  EXPECT_EQ(clotho::Run(main()), 7);
}

TEST_F(InterruptTest, ACancellationByOthersIsNoInterrupt) {
  const auto main = []() -> Coro<void> {
    CurrentTask()->Cancel("by itself");
    co_await Sleep(absl::Hours(1));
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(main()); }), "CancelledError: by itself");
  // Both: this counts as a cancellation by others.
  const auto both = []() -> Coro<void> {
    CurrentTask()->Cancel();
    raise(SIGINT);
    co_await Sleep(absl::Hours(1));
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(both()); }), "CancelledError");
}

TEST_F(InterruptTest, TheSecondLeavesTheLoopAtOnce) {
  std::vector<std::string> log;
  const auto main = [&]() -> Coro<void> {
    raise(SIGINT);
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      log.push_back("first");
    }
    raise(SIGINT);
    try {
      co_await Sleep(absl::Hours(1));
    } catch (const CancelledError&) {
      log.push_back("closing");  // The Runner cancels the remaining tasks.
      throw;
    }
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(main()); }), "KeyboardInterrupt");
  EXPECT_THAT(log, ElementsAre("first", "closing"));
}

TEST_F(InterruptTest, TwoInOneIterationAreTwo) {
  const auto main = []() -> Coro<void> {
    raise(SIGINT);
    raise(SIGINT);
    EXPECT_EQ(Disposition(), SIG_DFL);  // A third would end the process.
    co_await Sleep(absl::Hours(1));
  };
  EXPECT_EQ(Thrown([&] { clotho::Run(main()); }), "KeyboardInterrupt");
}

TEST_F(InterruptTest, ARunnerTakesOneForEachRun) {
  Runner runner;
  const auto interrupted = []() -> Coro<void> {
    raise(SIGINT);
    co_await Sleep(absl::Hours(1));
  };
  const auto quiet = []() -> Coro<int> {
    co_await Sleep(absl::ZeroDuration());
    co_return 1;
  };
  EXPECT_EQ(Thrown([&] { runner.Run(interrupted()); }), "KeyboardInterrupt");
  EXPECT_EQ(runner.Run(quiet()), 1);
  EXPECT_EQ(Thrown([&] { runner.Run(interrupted()); }), "KeyboardInterrupt");
}

TEST_F(InterruptTest, OneThatFindsTheMainTaskDoneLeavesTheLoop) {
  Runner runner;
  const auto last = []() -> Coro<int> {
    raise(SIGINT);
    co_return 1;
  };
  // The task is done before the loop has checked.
  EXPECT_EQ(Thrown([&] { runner.Run(last()); }), "KeyboardInterrupt");
}

// ---- When Ctrl-C is handled elsewhere. ----

Handler seen = nullptr;

Coro<void> Look() {
  seen = Disposition();
  co_return;
}

TEST_F(InterruptTest, AHandlerOfTheProgramsOwnStays) {
  signal(SIGINT, SIG_IGN);
  clotho::Run(Look());
  EXPECT_EQ(seen, SIG_IGN);
  EXPECT_EQ(Disposition(), SIG_IGN);
  signal(SIGINT, SIG_DFL);
}

TEST_F(InterruptTest, AHandlerThatIsSetMeanwhileStays) {
  const auto main = []() -> Coro<void> {
    signal(SIGINT, SIG_IGN);
    co_return;
  };
  clotho::Run(main());
  EXPECT_EQ(Disposition(), SIG_IGN);
  signal(SIGINT, SIG_DFL);
}

TEST_F(InterruptTest, OnlyTheMainThreadsRunnerHandlesIt) {
  std::thread([] { clotho::Run(Look()); }).join();
  EXPECT_EQ(seen, SIG_DFL);
  clotho::Run(Look());
  EXPECT_NE(seen, SIG_DFL);
}

TEST_F(InterruptTest, NotOnAVirtualClock) {
  static internal::JumpingClock clock;
  clotho::Run(
      Look(), {.loop_factory = [] {
        return std::make_unique<EventLoop>(EventLoopOptions{.clock = &clock});
      }});
  EXPECT_EQ(seen, SIG_DFL);
}

}  // namespace
}  // namespace clotho
