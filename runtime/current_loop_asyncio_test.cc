// CPython's tests of a thread's current loop (test_events.py), ported to
// GetEventLoop. Each test has the name and class of the original method.
// Policies do not exist here, except for their current loop.

#include <memory>
#include <string>
#include <thread>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/current_loop.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::StartsWith;

// What is set in a thread stays: a test has a thread of its own.
template <typename Function>
void InAThread(Function function) {
  std::thread(function).join();
}

std::string WhatGetEventLoopThrows() {
  return Thrown([] { GetEventLoop(); });
}
std::string WhatGetRunningLoopThrows() {
  return Thrown([] { GetRunningLoop(); });
}

constexpr char kNoCurrent[] = "RuntimeError: There is no current event loop";
constexpr char kNoRunning[] = "RuntimeError: no running event loop";

// The one test in the main thread, which alone gets a loop by itself.
TEST(PolicyTests, GetEventLoop) {
  EventLoop& loop = GetEventLoop();
  EXPECT_FALSE(loop.IsClosed());
  EXPECT_EQ(&GetEventLoop(), &loop);
}

TEST(PolicyTests, GetEventLoopAfterSetNone) {
  InAThread([] {
    const std::unique_ptr<EventLoop> loop = NewEventLoop();
    SetEventLoop(loop.get());
    SetEventLoop(nullptr);
    EXPECT_THAT(WhatGetEventLoopThrows(), StartsWith(kNoCurrent));
  });
}

TEST(PolicyTests, GetEventLoopThread) {
  InAThread(
      [] { EXPECT_THAT(WhatGetEventLoopThrows(), StartsWith(kNoCurrent)); });
}

TEST(PolicyTests, NewEventLoop) {
  InAThread([] {
    const std::unique_ptr<EventLoop> loop = clotho::NewEventLoop();
    EXPECT_FALSE(loop->IsClosed());
    EXPECT_FALSE(loop->IsRunning());
    EXPECT_THAT(WhatGetEventLoopThrows(), StartsWith(kNoCurrent));
  });
}

TEST(PolicyTests, SetEventLoop) {
  InAThread([] {
    const std::unique_ptr<EventLoop> old_loop = NewEventLoop();
    clotho::SetEventLoop(old_loop.get());
    const std::unique_ptr<EventLoop> loop = NewEventLoop();
    clotho::SetEventLoop(loop.get());
    EXPECT_EQ(&GetEventLoop(), loop.get());
    EXPECT_NE(&GetEventLoop(), old_loop.get());
  });
}

// Inside of a loop it is that loop, whatever else is or is not set.

TEST(GetEventLoopTestsMixin, GetEventLoopReturnsRunningLoop) {
  InAThread([] {
    EXPECT_THAT(WhatGetEventLoopThrows(), StartsWith(kNoCurrent));
    EXPECT_THAT(WhatGetRunningLoopThrows(), StartsWith(kNoRunning));
    EventLoop loop;
    const auto main = [&]() -> Coro<void> {
      EXPECT_EQ(&GetEventLoop(), &loop);
      EXPECT_EQ(&GetRunningLoop(), &loop);
      co_return;
    };
    loop.RunUntilComplete(main());
    EXPECT_THAT(WhatGetEventLoopThrows(), StartsWith(kNoCurrent));
    EXPECT_THAT(WhatGetRunningLoopThrows(), StartsWith(kNoRunning));
  });
}

TEST(GetEventLoopTestsMixin, GetEventLoopReturnsRunningLoop2) {
  InAThread([] {
    EventLoop loop;
    EventLoop other;
    const auto main = [&]() -> Coro<void> {
      EXPECT_EQ(&GetEventLoop(), &loop);
      EXPECT_EQ(&GetRunningLoop(), &loop);
      co_return;
    };
    SetEventLoop(&other);
    loop.RunUntilComplete(main());
    EXPECT_EQ(&GetEventLoop(), &other);
    EXPECT_THAT(WhatGetRunningLoopThrows(), StartsWith(kNoRunning));

    SetEventLoop(&loop);
    loop.RunUntilComplete(main());
    EXPECT_EQ(&GetEventLoop(), &loop);
    SetEventLoop(nullptr);
    EXPECT_THAT(WhatGetEventLoopThrows(), StartsWith(kNoCurrent));
    EXPECT_THAT(WhatGetRunningLoopThrows(), StartsWith(kNoRunning));
  });
}

}  // namespace
}  // namespace clotho
