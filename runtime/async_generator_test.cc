#include "clotho/runtime/async_generator.h"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
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
using ::testing::IsEmpty;

using Numbers = AsyncGenerator<int>;
static_assert(!std::is_copy_constructible_v<Numbers>);
static_assert(std::is_nothrow_move_constructible_v<Numbers>);
static_assert(
    std::is_same_v<AwaitResult<decltype(std::declval<Numbers&>().Next())>,
                   std::optional<int>>);
static_assert(std::is_same_v<
              AwaitResult<decltype(std::declval<Numbers&>().Anext())>, int>);

constexpr Delay kNow;

class AsyncGeneratorTest : public internal::RuntimeTest {
 protected:
  // Yields 1 to `count`, and logs how it ends.
  Numbers Count(std::string name, int count, int hops = 0) {
    try {
      for (int i = 1; i <= count; ++i) {
        for (int hop = 0; hop < hops; ++hop) co_await Sleep(kNow);
        co_yield i;
      }
    } catch (const GeneratorExit&) {
      Log(name, "closing");
    }
    co_await Sleep(kNow);
    Log(name, "ends");
  }
  AsyncGenerator<int, std::string> Echo() {
    int n = 0;
    while (true) {
      try {
        std::optional<std::string> sent = co_yield n++;
        Note(sent.value_or("nothing"));
        if (sent == "end") co_return;
      } catch (const ValueError& e) {
        Note("caught", e.what());
      }
    }
  }
};

// Logs the outcome of a method: its value or its exception.
template <typename A>
Coro<std::string> Outcome(A awaitable) {
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<AwaitResult<A>>) {
      co_await std::move(awaitable);
      co_return "done";
    } else if constexpr (std::is_same_v<AwaitResult<A>, std::optional<int>>) {
      std::optional<int> value = co_await std::move(awaitable);
      co_return value.has_value() ? std::to_string(*value) : "nothing";
    } else {
      const int value = co_await std::move(awaitable);
      co_return std::to_string(value);
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_return DescribeException(error);
}

TEST_F(AsyncGeneratorTest, YieldsInsideTheTaskThatAsks) {  // AG-04.
  const auto main = [&]() -> Coro<void> {
    auto numbers = Count("g", 2);
    while (true) {
      std::optional<int> n = co_await numbers.Next();
      if (!n.has_value()) break;
      Log(*n);
    }
    Log("over");
    EXPECT_FALSE((co_await numbers.Next()).has_value());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 1", "i1 t=0 2", "i2 t=0 g ends",
                                "i2 t=0 over"));
}

TEST_F(AsyncGeneratorTest, MayAwaitBetweenItsYields) {
  const auto main = [&]() -> Coro<void> {
    auto numbers = Count("g", 2, 2);
    Log(co_await numbers.Anext());
    Log(co_await numbers.Anext());
    Note(co_await Outcome(numbers.Anext()));
    Note(co_await Outcome(numbers.Anext()));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i3 t=0 1", "i5 t=0 2", "i6 t=0 g ends",
                                "StopAsyncIteration", "StopAsyncIteration"));
}

TEST_F(AsyncGeneratorTest, CanBeSentValuesAndExceptions) {
  const auto main = [&]() -> Coro<void> {
    auto echo = Echo();
    Note(co_await Outcome(echo.Asend("early")));  // AG-01.
    Note(co_await Outcome(echo.Anext()));
    Note(co_await Outcome(echo.Asend("a")));
    Note(co_await Outcome(echo.Anext()));
    Note(co_await Outcome(echo.Athrow(ValueError("v"))));
    Note(co_await Outcome(echo.Athrow(TimeoutError("t"))));
    Note(co_await Outcome(echo.Athrow(TimeoutError("t"))));
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("TypeError: can't send a value to a just-started async "
                        "generator: it stands at no co_yield yet",
                        "0", "a", "1", "nothing", "2", "caught v", "3",
                        "TimeoutError: t", "nothing"));
}

TEST_F(AsyncGeneratorTest, BeforeItBeginsAnExceptionEndsIt) {  // AG-02.
  const auto main = [&]() -> Coro<void> {
    auto thrown = Count("g", 1);
    Note(co_await Outcome(thrown.Athrow(ValueError("v"))));
    Note(co_await Outcome(thrown.Next()));
    auto closed = Count("g", 1);
    Note(co_await Outcome(closed.Aclose()));
    Note(co_await Outcome(closed.Aclose()));
    Note(co_await Outcome(closed.Anext()));
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("ValueError: v", "nothing", "done", "done",
                                "StopAsyncIteration"));
}

TEST_F(AsyncGeneratorTest, IsClosedAtItsYield) {
  const auto main = [&]() -> Coro<void> {
    auto numbers = Count("g", 2);
    co_await numbers.Next();
    co_await numbers.Aclose();
    Log("closed");
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i1 t=0 g closing", "i2 t=0 g ends", "i2 t=0 closed"));
}

TEST_F(AsyncGeneratorTest, OneThatIgnoresItsEndIsTold) {
  const auto stubborn = []() -> Numbers {
    while (true) {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
      }
    }
  };
  const auto main = [&]() -> Coro<void> {
    auto numbers = stubborn();
    co_await numbers.Next();
    Note(co_await Outcome(numbers.Aclose()));
    Note(co_await Outcome(numbers.Aclose()));
    Note(co_await Outcome(numbers.Next()));
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("RuntimeError: async generator ignored GeneratorExit",
                          "StopAsyncIteration", "1"));
  loop_.Reset();
}

TEST_F(AsyncGeneratorTest, ItsOwnStopAsyncIterationIsAMistake) {
  const auto bad = []() -> Numbers {
    throw StopAsyncIteration();
    co_yield 1;
  };
  const auto main = [&]() -> Coro<void> {
    auto numbers = bad();
    Note(co_await Outcome(numbers.Anext()));
  };
  Run(main());
  EXPECT_THAT(
      log_,
      ElementsAre("RuntimeError: async generator raised StopAsyncIteration"));
}

TEST_F(AsyncGeneratorTest, OnlyOneMethodAtATime) {  // AG-03.
  const auto main = [&]() -> Coro<void> {
    auto numbers = Count("g", 1, 1);
    Task<std::string> first = CreateTask(Outcome(numbers.Anext()));
    Task<std::string> second = CreateTask(Outcome(numbers.Anext()));
    Task<std::string> third = CreateTask(Outcome(numbers.Aclose()));
    Note(co_await first);
    Note(co_await second);
    Note(co_await third);
    co_await numbers.Aclose();
  };
  Run(main());
  log_.resize(3);
  EXPECT_THAT(
      log_,
      ElementsAre(
          "1",
          "RuntimeError: anext(): asynchronous generator is already running",
          "RuntimeError: aclose(): asynchronous generator is already running"));
}

// ---- Cancellation. ----

TEST_F(AsyncGeneratorTest, CancelledInsideItGetsTheError) {
  const auto wait = [&]() -> Numbers {
    try {
      co_await Future<void>(loop_);
    } catch (const CancelledError& e) {
      Note("cancelled", e.what());
      throw;
    }
    co_yield 1;
  };
  auto numbers = wait();
  Task<std::string> t = Start(Outcome(numbers.Anext()));
  Iterate();
  t.Cancel("m");
  Iterate();
  EXPECT_THAT(log_, ElementsAre("cancelled m"));
  EXPECT_EQ(t.Result(), "CancelledError: m");
}

// ---- The end: AG-05, X-07. ----

TEST_F(AsyncGeneratorTest, OneThatIsDroppedIsClosedByATaskOfItsOwn) {
  // Trace TR_Y1 of the rules.
  const auto main = [&]() -> Coro<void> {
    {
      auto dropped = Count("dropped", 2);
      co_await dropped.Next();
    }
    Log("after");
    for (int i = 0; i < 3; ++i) {
      co_await Sleep(kNow);
      Log("tick");
    }
    auto live = Count("live", 2);
    co_await live.Next();
    co_await loop_.ShutdownAsyncgens();
    Log("shut down");
  };
  Run(main());
  EXPECT_THAT(
      log_, ElementsAre("i1 t=0 after", "i2 t=0 tick", "i3 t=0 dropped closing",
                        "i3 t=0 tick", "i4 t=0 dropped ends", "i4 t=0 tick",
                        "i5 t=0 live closing", "i6 t=0 live ends",
                        "i8 t=0 shut down"));
}

TEST_F(AsyncGeneratorTest, WhatClosingThrowsIsReported) {
  const auto bad = []() -> Numbers {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      throw ValueError("in clean-up");
    }
  };
  const auto main = [&]() -> Coro<void> {
    auto numbers = bad();
    co_await numbers.Next();
    co_await loop_.ShutdownAsyncgens();
  };
  Run(main());
  EXPECT_THAT(TakeReports(),
              ElementsAre("an error occurred during closing of an "
                          "asynchronous generator: ValueError: in clean-up"));
}

TEST_F(AsyncGeneratorTest, ARunnerClosesThoseThatAreLeft) {
  auto numbers = std::make_unique<Numbers>(Count("g", 2));
  const auto main = [&]() -> Coro<void> { co_await numbers->Next(); };
  Runner runner;
  runner.Run(main());
  runner.Close();
  EXPECT_THAT(log_, ElementsAre("i0 t=0 g closing", "i0 t=0 g ends"));
}

TEST_F(AsyncGeneratorTest, NeverBegunItGoesWithoutATrace) {
  {
    auto numbers = Count("g", 1);
  }
  const auto main = [&]() -> Coro<void> {
    auto numbers = Count("g", 1);
    co_await loop_.ShutdownAsyncgens();
  };
  Run(main());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(AsyncGeneratorTest, MayBeDestroyedAtAYieldOrAtAnAwait) {
  for (int hops : {0, 9}) {
    auto numbers = Count("g", 2, hops);
    Task<std::string> t = Start(Outcome(numbers.Anext()));
    Iterate(2);
    EXPECT_EQ(t.Done(), hops == 0);
    loop_.Reset();
  }
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_FALSE(HoldsMemory());
}

TEST_F(AsyncGeneratorTest, DroppedWhileItIsAwaitedItLivesUntilThat) {
  auto numbers = std::make_unique<Numbers>(Count("g", 1, 2));
  Task<std::string> t = Start(Outcome(numbers->Anext()));
  Iterate();
  numbers.reset();
  Iterate(2);
  EXPECT_EQ(t.Result(), "1");
  Iterate(3);
  EXPECT_THAT(log_, ElementsAre("i5 t=0 g closing", "i6 t=0 g ends"));
}

TEST_F(AsyncGeneratorTest, MayOutliveItsLoop) {
  std::optional<Numbers> numbers;
  {
    EventLoop loop({.clock = &clock_});
    const auto main = [&]() -> Coro<void> {
      numbers.emplace(Count("g", 2));
      co_await numbers->Next();
    };
    loop.RunUntilComplete(main());
  }
  numbers.reset();
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace clotho
