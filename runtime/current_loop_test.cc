#include "clotho/runtime/current_loop.h"

#include <memory>
#include <thread>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/runner.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;

constexpr char kThereIsNone[] =
    "RuntimeError: There is no current event loop in this thread: call "
    "SetEventLoop first, or run the coroutine with Run";

// Rule L-36. Each test runs in a separate thread, since a thread keeps what was
// set in it.
template <typename Function>
void InAThread(Function function) {
  std::thread(function).join();
}

TEST(CurrentLoopTest, AThreadHasNoneUntilItIsSet) {
  InAThread([] {
    EXPECT_FALSE(internal::IsMainThread());
    EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone);
    const std::unique_ptr<EventLoop> loop = NewEventLoop();
    EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone);
    SetEventLoop(loop.get());
    EXPECT_EQ(&GetEventLoop(), loop.get());
    SetEventLoop(nullptr);
    EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone);
  });
}

TEST(CurrentLoopTest, TheLoopThatRunsIsTheOne) {
  InAThread([] {
    EventLoop other;
    SetEventLoop(&other);
    EventLoop loop;
    EventLoop* seen = nullptr;
    loop.CallSoon([&] {
      seen = &GetEventLoop();
      loop.Stop();
    });
    loop.RunForever();
    EXPECT_EQ(seen, &loop);
    EXPECT_EQ(&GetEventLoop(), &other);
  });
}

TEST(CurrentLoopTest, ThreadsDoNotShareIt) {
  InAThread([] {
    EventLoop loop;
    SetEventLoop(&loop);
    InAThread([] { EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone); });
    EXPECT_EQ(&GetEventLoop(), &loop);
  });
}

TEST(CurrentLoopTest, ALoopThatIsDestroyedLeavesTheThreadWithout) {
  InAThread([] {
    auto loop = std::make_unique<EventLoop>();
    SetEventLoop(loop.get());
    loop.reset();
    EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone);
  });
}

TEST(CurrentLoopTest, AClosedLoopIsStillTheOne) {
  InAThread([] {
    EventLoop loop;
    SetEventLoop(&loop);
    loop.Close();
    EXPECT_EQ(&GetEventLoop(), &loop);
  });
}

TEST(CurrentLoopTest, RunMakesItsLoopCurrentAndLeavesNone) {
  InAThread([] {
    EventLoop before;
    SetEventLoop(&before);
    {
      Runner runner;
      EventLoop& loop = runner.GetLoop();
      EXPECT_EQ(&GetEventLoop(), &loop);
    }
    EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone);

    SetEventLoop(&before);
    Runner runner(
        {.loop_factory = [] { return std::make_unique<EventLoop>(); }});
    runner.GetLoop();
    EXPECT_EQ(&GetEventLoop(), &before);  // Who makes the loop answers for it.
    runner.Close();
    EXPECT_EQ(&GetEventLoop(), &before);
  });
}

// The only test in the main thread, which gets a loop automatically only until
// one is set.
TEST(CurrentLoopTest, TheMainThreadGetsOneThatIsMadeForIt) {
  EXPECT_TRUE(internal::IsMainThread());
  EventLoop& loop = GetEventLoop();
  EXPECT_EQ(&GetEventLoop(), &loop);
  const auto one = []() -> Coro<int> { co_return 1; };
  EXPECT_EQ(loop.RunUntilComplete(one()), 1);
  SetEventLoop(nullptr);
  EXPECT_EQ(Thrown([] { GetEventLoop(); }), kThereIsNone);
}

}  // namespace
}  // namespace clotho
