#include "clotho/runtime/wait.h"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Futures = std::vector<Future<int>>;
using Operation = decltype(Wait(Futures()));
static_assert(std::is_same_v<AwaitResult<Operation>, WaitResult<Future<int>>>);

class WaitTest : public internal::RuntimeTest {
 protected:
  WaitTest() {
    for (int i = 0; i < 3; ++i) futures_.emplace_back(loop_);
  }

  // Logs which of the futures are done, "+", and which are not.
  Coro<void> Wait3(WaitOptions options, std::string name = "wait") {
    try {
      auto wait = Wait(futures_, options);
      const WaitResult<Future<int>> result = co_await std::move(wait);
      std::string text;
      for (const auto& f : result.done) text += "+" + NumberOf(f);
      for (const auto& f : result.pending) text += "-" + NumberOf(f);
      Log(name, text);
    } catch (const CancelledError& e) {
      Log(name, "cancelled", e.what());
      throw;
    }
  }
  std::string NumberOf(const Future<int>& future) const {
    for (std::size_t i = 0; i < futures_.size(); ++i) {
      if (futures_[i] == future) return std::to_string(i);
    }
    return "?";
  }

  Futures futures_;
};

TEST_F(WaitTest, ForAll) {
  Task<void> t = Start(Wait3({}));
  Iterate();
  futures_[1].SetResult(1);
  futures_[0].SetException(ValueError("x"));
  Iterate(2);
  EXPECT_FALSE(t.Done());
  futures_[2].Cancel();
  Iterate(2);  // HT-11: two iterations later.
  EXPECT_THAT(log_, ElementsAre("i5 t=0 wait +0+1+2"));
  EXPECT_TRUE(futures_[0].state()->unretrieved());  // W-03.
  static_cast<void>(futures_[0].GetException());
}

TEST_F(WaitTest, ForTheFirst) {
  Task<void> t = Start(Wait3({.return_when = ReturnWhen::kFirstCompleted}));
  Iterate();
  futures_[1].SetResult(1);
  Iterate();
  futures_[2].SetResult(2);  // In time to be among those that are done.
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 wait +1+2-0"));
}

TEST_F(WaitTest, ForTheFirstException) {  // W-02.
  Task<void> t = Start(Wait3({.return_when = ReturnWhen::kFirstException}));
  Iterate();
  futures_[0].SetResult(1);
  futures_[1].Cancel();
  Iterate(3);
  EXPECT_FALSE(t.Done());
  futures_[2].SetException(ValueError("x"));
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i6 t=0 wait +0+1+2"));
  static_cast<void>(futures_[2].GetException());
}

TEST_F(WaitTest, ForSomeTime) {
  WaitOptions options;
  options.timeout = absl::Seconds(2);
  Task<void> t = Start(Wait3(options));
  loop_.CallLater(absl::Seconds(1), [&] { futures_[2].SetResult(2); });
  loop_.RunUntilComplete(t);
  EXPECT_THAT(log_, ElementsAre("i5 t=2 wait +2-0-1"));
}

TEST_F(WaitTest, ForNoTimeAtAllStillTakesTwoIterations) {  // W-04.
  WaitOptions options;
  options.timeout = absl::ZeroDuration();
  Run(Wait3(options));
  EXPECT_THAT(log_, ElementsAre("i3 t=0 wait -0-1-2"));
}

TEST_F(WaitTest, ForWhatIsDoneTakesTwoIterations) {
  for (const auto& future : futures_) future.SetResult(0);
  Run(Wait3({}));
  EXPECT_THAT(log_, ElementsAre("i3 t=0 wait +0+1+2"));
}

TEST_F(WaitTest, TheTimerGoesWhenAllAreDone) {
  for (const auto& future : futures_) future.SetResult(0);
  WaitOptions options;
  options.timeout = absl::Seconds(9);
  Run(Wait3(options));
  RunToStandstill();
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

TEST_F(WaitTest, CountsTheSameFutureOnce) {  // W-01.
  futures_[1] = futures_[0];
  futures_[2] = futures_[0];
  futures_[0].SetResult(0);
  Run(Wait3({}));
  EXPECT_THAT(log_, ElementsAre("i3 t=0 wait +0"));
}

TEST_F(WaitTest, ForNothingIsAnError) {
  futures_.clear();
  EXPECT_EQ(Thrown([&] { Run(Wait3({})); }),
            "ValueError: Set of Tasks/Futures is empty.");
}

// ---- Cancellation. ----

TEST_F(WaitTest, CancelledItLeavesTheFuturesAlone) {
  Task<void> t = Start(Wait3({}));
  Iterate();
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 wait cancelled m"));
  for (const auto& future : futures_) {
    EXPECT_FALSE(future.Done());
    EXPECT_TRUE(future.state()->waiters().empty());
  }
}

TEST_F(WaitTest, CancelledWhenItIsOver) {
  Task<void> t = Start(Wait3({.return_when = ReturnWhen::kFirstCompleted}));
  Iterate();
  futures_[0].SetResult(0);
  Iterate();
  t.Cancel();  // Its step is ready.
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i3 t=0 wait cancelled "));
}

TEST_F(WaitTest, CancelledBeforeItStarts) {
  Start(Wait3({})).Cancel();
  Iterate();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(WaitTest, ALateFutureCountsForNobody) {
  WaitOptions options;
  options.timeout = absl::Seconds(1);
  options.return_when = ReturnWhen::kFirstException;
  Task<void> t = Start(Wait3(options));
  Iterate();
  t.Cancel();
  futures_[0].SetException(ValueError("x"));  // Its watcher is ready.
  Iterate(3);
  EXPECT_FALSE(futures_[0].state()->unretrieved());  // Inspected, no effect.
}

// ---- Destruction and reports. ----

TEST_F(WaitTest, MayBeDestroyedWhileItWaits) {
  WaitOptions options;
  options.timeout = absl::Seconds(1);
  for (bool ready : {false, true}) {
    Task<void> t = Start(Wait3(options));
    Iterate();
    if (ready) futures_[0].SetResult(0);
    loop_.Reset();
  }
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(WaitTest, SaysWhatItWaitsFor) {
  futures_[1].SetResult(0);
  Task<void> t = Start(Wait3({}));
  Iterate();
  internal::WaitInfo info;
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Wait(3)");
  EXPECT_THAT(info.parts, ElementsAre(futures_[0].state().get(),
                                      futures_[2].state().get()));
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
