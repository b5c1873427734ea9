#include "clotho/runtime/event.h"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<Event>);
static_assert(!std::is_move_constructible_v<Event>);
using Wait = decltype(std::declval<Event&>().Wait());
static_assert(std::is_same_v<AwaitResult<Wait>, bool>);
static_assert(!std::is_move_constructible_v<Wait::Awaiter>);

class EventTest : public internal::RuntimeTest {
 protected:
  Coro<void> Watch(std::string name) {
    try {
      const bool result = co_await event_.Wait();
      Log(name, result, event_.IsSet());
    } catch (const CancelledError& e) {
      Log(name, "cancelled", e.what());
      throw;
    }
  }
  Event event_{"ready"};
};

TEST_F(EventTest, WhenItIsSetNobodyWaits) {
  event_.Set();
  EXPECT_TRUE(event_.IsSet());
  Run(Watch("a"));
  EXPECT_THAT(log_, ElementsAre("i1 t=0 a True True"));
}

TEST_F(EventTest, SetWakesAllInTheOrderInWhichTheyCame) {
  Task<void> a = Start(Watch("a"));
  Task<void> b = Start(Watch("b"));
  Iterate();
  event_.Set();
  event_.Set();  // No further effect.
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a True True", "i2 t=0 b True True"));
}

TEST_F(EventTest, ClearedAtOnceItHasWokenThemAllTheSame) {  // EV-02.
  Task<void> a = Start(Watch("a"));
  Iterate();
  event_.Set();
  event_.Clear();
  Task<void> b = Start(Watch("b"));  // Comes too late.
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a True False"));
  event_.Set();
  Iterate();
  EXPECT_EQ(log_.back(), "i4 t=0 b True True");
}

TEST_F(EventTest, SetAgainBeforeTheyRunItWakesThemOnce) {
  Task<void> a = Start(Watch("a"));
  Iterate();
  event_.Set();
  event_.Clear();
  event_.Set();
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i2 t=0 a True True"));
}

TEST_F(EventTest, CancelledWhileItWaitsAndWhenItWasWoken) {
  Task<void> a = Start(Watch("a"));
  Task<void> b = Start(Watch("b"));
  Task<void> c = Start(Watch("c"));
  Iterate();
  a.Cancel("waiting");
  event_.Set();
  b.Cancel("woken");
  Iterate();
  EXPECT_THAT(log_,
              ElementsAre("i2 t=0 a cancelled waiting",
                          "i2 t=0 b cancelled woken", "i2 t=0 c True True"));
}

TEST_F(EventTest, TheWaitersMayBeDestroyed) {
  Start(Watch("a"));
  Iterate();
  loop_.Reset();
  Start(Watch("b"));
  Iterate();
  event_.Set();
  loop_.Reset();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(EventTest, ADestructorMaySetItWhileTheLoopIsClosed) {
  struct Setter {
    Event& event;
    ~Setter() { event.Set(); }
  };
  const auto setter = [&]() -> Coro<void> {
    Setter s{event_};
    co_await Sleep(absl::Seconds(1));
  };
  Start(Watch("a"));
  Start(setter());
  Iterate();
  loop_.Close();
  EXPECT_TRUE(event_.IsSet());
  EXPECT_EQ(TakeReports().size(), 2u);
}

TEST_F(EventTest, ItMayBeDestroyedWhileATaskWaits) {
  auto event = std::make_unique<Event>();
  const auto wait = [&](std::string name) -> Coro<void> {
    const bool result = co_await event->Wait();
    Log(name, result);
  };
  Task<void> a = Start(wait("a"));
  Iterate();
  event.reset();
  internal::WaitInfo info;
  a.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Event that was destroyed");
  a.Cancel();
  Iterate();
  EXPECT_TRUE(a.Cancelled());

  event = std::make_unique<Event>();
  Task<void> b = Start(wait("b"));
  Iterate();
  event->Set();
  event.reset();  // It was woken: that counts.
  Iterate();
  EXPECT_THAT(log_, ElementsAre("i4 t=0 b True"));
}

TEST_F(EventTest, SaysWhatItIs) {
  Task<void> a = Start(Watch("a"));
  Iterate();
  internal::WaitInfo info;
  a.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "Event \"ready\"");
  EXPECT_EQ(Event().Describe(), "Event");
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
