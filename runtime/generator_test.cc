#include "clotho/runtime/generator.h"

#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/gather.h"
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
using ::testing::Optional;

static_assert(std::ranges::input_range<Generator<int>>);
static_assert(!std::is_copy_constructible_v<Generator<int>>);

Generator<int> Count(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
}

class GeneratorTest : public internal::RuntimeTest {
 protected:
  // Logs what happens to it; if `stubborn`, continues after an exception.
  Generator<int> Talk(bool stubborn) {
    Note("begins");
    for (int i = 0; i < 5; ++i) {
      bool caught = false;
      try {
        co_yield i;
      } catch (const GeneratorExit&) {
        Note("exit");
        if (!stubborn) throw;
        caught = true;
      } catch (const std::exception& e) {
        Note("caught", e.what());
        if (!stubborn) throw;
        caught = true;
      }
      if (!caught) Note("goes on");
    }
  }

  // Yields what it was sent.
  Generator<std::string, std::string> Echo() {
    std::string said = "nothing";
    for (;;) {
      std::optional<std::string> sent = co_yield said;
      said = sent.value_or("nothing");
    }
  }
};

// ---- Values. ----

TEST_F(GeneratorTest, YieldsItsValuesAndThenNothing) {
  auto count = Count(2);
  EXPECT_THAT(count.Next(), Optional(0));
  EXPECT_THAT(count.Next(), Optional(1));
  EXPECT_EQ(count.Next(), std::nullopt);
  EXPECT_EQ(count.Next(), std::nullopt);
}

TEST_F(GeneratorTest, RunsNothingBeforeItIsAsked) {
  auto talk = Talk(/*stubborn=*/false);
  EXPECT_THAT(log_, IsEmpty());
  talk.Next();
  EXPECT_THAT(log_, ElementsAre("begins"));
}

TEST_F(GeneratorTest, IsARangeOfTheRestOfItsValues) {
  std::vector<int> values;
  for (int i : Count(3)) values.push_back(i);
  EXPECT_THAT(values, ElementsAre(0, 1, 2));
  auto count = Count(5);
  count.Next();
  for (int i : count) {
    if (i == 2) break;
  }
  EXPECT_THAT(count.Next(), Optional(3));
  for (int i : Count(0)) ADD_FAILURE() << i;
}

TEST_F(GeneratorTest, WorksWithTheAlgorithmsOfRanges) {
  auto odd = Count(10);
  std::vector<int> values;
  for (int i : std::ranges::subrange(odd.begin(), odd.end()) |
                   std::views::filter([](int i) { return i % 2 == 1; })) {
    values.push_back(i);
  }
  EXPECT_THAT(values, ElementsAre(1, 3, 5, 7, 9));
}

TEST_F(GeneratorTest, ValuesThatCannotBeCopiedAreMoved) {
  const auto boxes = []() -> Generator<std::unique_ptr<int>> {
    co_yield std::make_unique<int>(1);
    co_yield std::make_unique<int>(2);
  };
  auto generator = boxes();
  const std::optional<std::unique_ptr<int>> first = generator.Next();
  EXPECT_EQ(**first, 1);
  for (std::unique_ptr<int>& box : generator) {
    const std::unique_ptr<int> mine = std::move(box);
    EXPECT_EQ(*mine, 2);
  }
}

TEST_F(GeneratorTest, MayBeMovedWhileItRunsThroughItsValues) {
  auto first = Count(3);
  first.Next();
  auto second = std::move(first);
  EXPECT_THAT(second.Next(), Optional(1));
  EXPECT_EQ(first.Next(), std::nullopt);
  first = std::move(second);
  EXPECT_THAT(first.Next(), Optional(2));
}

// ---- Send. ----

TEST_F(GeneratorTest, IsSentValues) {
  auto echo = Echo();
  EXPECT_THAT(echo.Next(), Optional(std::string("nothing")));
  EXPECT_THAT(echo.Send("a"), Optional(std::string("a")));
  EXPECT_THAT(echo.Next(), Optional(std::string("nothing")));
  echo.Close();
  EXPECT_EQ(echo.Send("b"), std::nullopt);
}

TEST_F(GeneratorTest, ThatHasNotBegunTakesNoValue) {
  auto echo = Echo();
  EXPECT_EQ(Thrown([&] { echo.Send("a"); }),
            "TypeError: can't send a value to a just-started generator: it "
            "stands at no co_yield yet; call Next() first");
  EXPECT_THAT(echo.Next(), Optional(std::string("nothing")));
}

// ---- Exceptions. ----

TEST_F(GeneratorTest, AnExceptionOutOfItIsItsEnd) {
  const auto fail = []() -> Generator<int> {
    co_yield 1;
    throw ValueError("x");
  };
  auto generator = fail();
  generator.Next();
  EXPECT_EQ(Thrown([&] { generator.Next(); }), "ValueError: x");
  EXPECT_EQ(generator.Next(), std::nullopt);
}

TEST_F(GeneratorTest, AnExceptionThrownInCanBeCaught) {
  auto talk = Talk(/*stubborn=*/true);
  talk.Next();
  EXPECT_THAT(talk.Throw(ValueError("x")), Optional(1));
  EXPECT_THAT(log_, ElementsAre("begins", "caught x"));
  for (int i = 0; i < 3; ++i) talk.Next();
  EXPECT_EQ(talk.Throw(ValueError("y")), std::nullopt);
}

TEST_F(GeneratorTest, AnExceptionThrownInComesOutAgain) {
  auto talk = Talk(/*stubborn=*/false);
  talk.Next();
  EXPECT_EQ(Thrown([&] { talk.Throw(ValueError("x")); }), "ValueError: x");
  EXPECT_EQ(talk.Next(), std::nullopt);
  EXPECT_EQ(Thrown([&] { talk.Throw(ValueError("late")); }),
            "ValueError: late");
}

TEST_F(GeneratorTest, AnExceptionThrownInBeforeItHasBegunEndsIt) {
  auto talk = Talk(/*stubborn=*/true);
  EXPECT_EQ(Thrown([&] { talk.Throw(ValueError("x")); }), "ValueError: x");
  EXPECT_EQ(talk.Next(), std::nullopt);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(GeneratorTest, ANullPointerIsNoException) {
  auto count = Count(1);
  EXPECT_EQ(Thrown([&] { count.Throw(std::exception_ptr()); }),
            "TypeError: Throw takes an exception, not a null pointer");
}

TEST_F(GeneratorTest, CannotBeAskedFromInsideOfItself) {
  Generator<int>* self = nullptr;
  const auto ask = [&]() -> Generator<int> {
    Note(Thrown([&] { self->Next(); }));
    Note(Thrown([&] { self->Close(); }));
    co_yield 1;
  };
  auto generator = ask();
  self = &generator;
  EXPECT_THAT(generator.Next(), Optional(1));
  EXPECT_THAT(log_, ElementsAre("ValueError: generator already executing: it "
                                "cannot be asked from inside of itself",
                                "ValueError: generator already executing: it "
                                "cannot be asked from inside of itself"));
}

// ---- Close, and destruction. ----

TEST_F(GeneratorTest, ClosingThrowsGeneratorExitWhereItStands) {
  auto talk = Talk(/*stubborn=*/false);
  talk.Next();
  talk.Close();
  EXPECT_THAT(log_, ElementsAre("begins", "exit"));
  EXPECT_EQ(talk.Next(), std::nullopt);
  talk.Close();
  EXPECT_THAT(log_, ElementsAre("begins", "exit"));
}

TEST_F(GeneratorTest, ClosedBeforeItHasBegunItNeverRuns) {
  auto talk = Talk(/*stubborn=*/false);
  talk.Close();
  EXPECT_EQ(talk.Next(), std::nullopt);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(GeneratorTest, OneThatReturnsWhenClosedIsClosed) {
  const auto quiet = []() -> Generator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
  };
  auto generator = quiet();
  generator.Next();
  generator.Close();
  EXPECT_EQ(generator.Next(), std::nullopt);
}

TEST_F(GeneratorTest, OneThatYieldsWhenClosedIsAnError) {
  auto talk = Talk(/*stubborn=*/true);
  talk.Next();
  EXPECT_EQ(Thrown([&] { talk.Close(); }),
            "RuntimeError: generator ignored GeneratorExit");
  EXPECT_THAT(talk.Next(), Optional(2));  // As in Python, it is still there.
  for (int i = 0; i < 3; ++i) talk.Next();
}

TEST_F(GeneratorTest, WhatItThrowsWhenClosedComesOut) {
  const auto fail = []() -> Generator<int> {
    bool exit = false;
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      exit = true;
    }
    if (exit) throw ValueError("in clean-up");
  };
  auto generator = fail();
  generator.Next();
  EXPECT_EQ(Thrown([&] { generator.Close(); }), "ValueError: in clean-up");
  generator.Close();
}

TEST_F(GeneratorTest, DroppedWhereItStandsItIsClosed) {
  for (int i : Talk(/*stubborn=*/false)) {
    if (i == 1) break;
  }
  EXPECT_THAT(log_, ElementsAre("begins", "goes on", "exit"));
}

TEST_F(GeneratorTest, DroppedWhileAnExceptionIsOnItsWayItIsClosed) {
  EXPECT_EQ(Thrown([&] {
              auto talk = Talk(/*stubborn=*/false);
              talk.Next();
              throw ValueError("outer");
            }),
            "ValueError: outer");
  EXPECT_THAT(log_, ElementsAre("begins", "exit"));
}

TEST_F(GeneratorTest, AnExceptionThatNobodyCanCatchIsReported) {
  loop_.CallSoon([&] {
    auto talk = Talk(/*stubborn=*/true);
    talk.Next();
  });
  Iterate();
  EXPECT_THAT(TakeReports(),
              ElementsAre("Exception ignored in a generator that was dropped: "
                          "RuntimeError: generator ignored GeneratorExit"));
}

TEST_F(GeneratorTest, WhatIsInItsFrameGoesWithIt) {
  auto witness = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int>) -> Generator<int> {
    co_yield 1;
    co_yield 2;
  };
  auto at_a_yield = hold(witness);
  at_a_yield.Next();
  {
    auto unstarted = hold(witness);
    EXPECT_EQ(witness.use_count(), 3);
  }
  EXPECT_EQ(witness.use_count(), 2);
  at_a_yield.Next();
  at_a_yield.Next();  // The end.
  EXPECT_EQ(witness.use_count(), 1);
}

// ---- Among coroutines. ----

TEST_F(GeneratorTest, RunsInTheTaskThatAsks) {
  const auto names = []() -> Generator<std::string> {
    for (;;) co_yield CurrentTask()->GetName();
  };
  auto generator = names();
  const auto ask = [&]() -> Coro<void> {
    for (int i = 0; i < 2; ++i) {
      Note(*generator.Next());
      co_await Sleep(absl::ZeroDuration());
    }
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> a = CreateTask(ask(), {.name = "a"});
    Task<void> b = CreateTask(ask(), {.name = "b"});
    co_await Gather(a, b);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("a", "b", "a", "b"));
}

TEST_F(GeneratorTest, CanMakeWhatIsGathered) {
  const auto square = [](int i) -> Coro<int> { co_return i* i; };
  const auto squares = [&](int n) -> Generator<Coro<int>> {
    for (int i = 0; i < n; ++i) co_yield square(i);
  };
  const auto main = [&]() -> Coro<void> {
    auto all = Gather(squares(4));
    const std::vector<int> results = co_await all;
    EXPECT_THAT(results, ElementsAre(0, 1, 4, 9));
  };
  Run(main());
}

}  // namespace
}  // namespace clotho
