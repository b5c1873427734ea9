#include "clotho/runtime/task_group.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Delay kNow;

// "ExceptionGroup[ValueError: a, TimeoutError]".
std::string Members(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const BaseExceptionGroup& group) {
    std::string text = absl::StrCat(ExceptionClass(exception), "[");
    const char* separator = "";
    for (const std::exception_ptr& member : group.exceptions()) {
      absl::StrAppend(&text, separator, Members(member));
      separator = ", ";
    }
    return absl::StrCat(text, "]");
  } catch (...) {
    return DescribeException(exception);
  }
}

class TaskGroupTest : public internal::RuntimeTest {
 protected:
  // Ends after `hops` iterations; throws if `error` is not empty.
  Coro<void> Work(std::string name, int hops, std::string error = "") {
    try {
      for (int i = 0; i < hops; ++i) co_await Sleep(kNow);
      Log(name);
    } catch (const CancelledError&) {
      Log(name, "cancelled");
      throw;
    }
    if (!error.empty()) throw ValueError(error);
  }
  int Cancelling() { return CurrentTask()->Cancelling(); }
};

TEST_F(TaskGroupTest, EndsWhenItsBodyAndItsTasksHave) {
  // Trace TR_K1 of the rules.
  TaskGroup group;
  const auto body = [&]() -> Coro<int> {
    group.CreateTask(Work("a", 1));
    group.CreateTask(Work("b", 0));
    Log("body end");
    co_return 7;
  };
  const auto main = [&]() -> Coro<void> {
    const int result = co_await group.Run(body());
    Log("exit", result);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 body end", "i2 t=0 b", "i3 t=0 a",
                                "i5 t=0 exit 7"));
}

TEST_F(TaskGroupTest, AFailureCancelsTheOthersAndTheBody) {  // TR_K1.
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("s", 9));
    group.CreateTask(Work("bad", 0, "k"));
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError& e) {
      Log("body", e.message().has_value(), Cancelling());
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    std::exception_ptr error;
    try {
      co_await group.Run(body());
    } catch (const ExceptionGroup&) {
      error = std::current_exception();
    }
    Log(Members(error), Cancelling());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 bad", "i4 t=0 s cancelled",
                                "i4 t=0 body False 1",
                                "i6 t=0 ExceptionGroup[ValueError: k] 0"));
}

TEST_F(TaskGroupTest, CollectsErrorsInTheOrderOfTheirComing) {  // TG-05.
  TaskGroup group;
  const auto stubborn = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    throw TimeoutError("late");
  };
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(stubborn());
    group.CreateTask(Work("bad", 0, "first"));
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    throw GeneratorExit();
  };
  Task<void> t = Start(group.Run(body()));
  Iterate(9);
  EXPECT_EQ(Members(t.GetException()),
            "BaseExceptionGroup[ValueError: first, TimeoutError: late, "
            "GeneratorExit]");
}

TEST_F(TaskGroupTest, ACancelledTaskIsNoFailure) {  // TG-03.
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    Task<void> task = group.CreateTask(Work("a", 9));
    group.CreateTask(Work("b", 2));
    co_await Sleep(kNow);
    task.Cancel();
  };
  Run(group.Run(body()));
  EXPECT_THAT(log_, ElementsAre("i3 t=0 a cancelled", "i4 t=0 b"));
}

TEST_F(TaskGroupTest, ATaskThatHasNotBegunNeverRuns) {  // TG-09.
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("never", 0));
    throw ValueError("body");
    co_return;
  };
  Task<void> t = Start(group.Run(body()));
  Iterate(4);
  EXPECT_EQ(Members(t.GetException()), "ExceptionGroup[ValueError: body]");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TaskGroupTest, TasksMayBeAddedWhileItWaits) {  // TG-06.
  TaskGroup group;
  const auto parent = [&]() -> Coro<void> {
    co_await Sleep(kNow);
    group.CreateTask(Work("child", 1));
  };
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(parent());
    co_return;
  };
  Run(group.Run(body()));
  EXPECT_THAT(log_, ElementsAre("i5 t=0 child"));
}

TEST_F(TaskGroupTest,
       RefusesTasksBeforeAfterAndInTheMiddleOfItsEnd) {  // TG-02.
  TaskGroup group;
  EXPECT_EQ(Thrown([&] { group.CreateTask(Work("early", 0)); }),
            "RuntimeError: TaskGroup has not been entered");
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("bad", 0, "x"));
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      Note(Thrown([&] { group.CreateTask(Work("late", 0)); }));
    }
  };
  const auto main = [&]() -> Coro<void> {
    try {
      co_await group.Run(body());
    } catch (const ExceptionGroup&) {
      Note(Thrown([&] { group.CreateTask(Work("later", 0)); }));
    }
    try {
      co_await group.Run(Work("again", 0));
    } catch (const RuntimeError& e) {
      Note(e.what());
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 bad",
                                "RuntimeError: TaskGroup is shutting down",
                                "RuntimeError: TaskGroup is finished",
                                HasSubstr("never awaited"),
                                "TaskGroup has already been entered"));
  // The body that was never run.
  EXPECT_EQ(TakeReports().size(), 1u);
}

TEST_F(TaskGroupTest, AFunctionIsKeptAsLongAsItRuns) {
  TaskGroup group;
  auto counter = std::make_shared<int>(0);
  const auto main = [&]() -> Coro<void> {
    auto run = group.Run([&group, counter]() -> Coro<void> {
      group.CreateTask([counter]() -> Coro<void> {
        co_await Sleep(kNow);
        ++*counter;
      });
      co_await Sleep(kNow);
      ++*counter;
    });
    co_await std::move(run);
  };
  Run(main());
  EXPECT_EQ(*counter, 2);
  EXPECT_EQ(counter.use_count(), 1);
}

// ---- Cancellation from outside: TG-07. ----

TEST_F(TaskGroupTest, CancelledFromOutsideItCancelsItsTasks) {
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("a", 9));
    co_return;
  };
  Task<void> t = Start(group.Run(body()));
  Iterate(3);
  t.Cancel("m");
  Iterate(4);
  EXPECT_THAT(log_, ElementsAre("i5 t=0 a cancelled"));
  EXPECT_EQ(Thrown([&] { t.Result(); }), "CancelledError: m");
}

TEST_F(TaskGroupTest, AnErrorHasPriorityAndTheCancellationComesLater) {
  // Trace TR_K2 of the rules, one iteration earlier.
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("bad", 0, "k"));
    co_await Sleep(absl::Seconds(9));
  };
  const auto main = [&]() -> Coro<void> {
    try {
      co_await group.Run(body());
    } catch (const ExceptionGroup&) {
      Log("group error", Cancelling());
    }
    try {
      co_await Sleep(kNow);
    } catch (const CancelledError& e) {
      Log("cancelled again", e.message().has_value(), Cancelling());
    }
  };
  Task<void> t = Start(main());
  Iterate(2);
  t.Cancel("user");
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre("i2 t=0 bad", "i3 t=0 group error 1",
                                "i4 t=0 cancelled again False 1"));
}

TEST_F(TaskGroupTest, AnInnerGroupFailsInsideTheOuter) {
  // Trace TR_K3 of the rules.
  TaskGroup outer;
  TaskGroup inner;
  const auto bad = [](std::string text) -> Coro<void> {
    throw ValueError(text);
    co_return;
  };
  const auto inner_body = [&]() -> Coro<void> {
    inner.CreateTask(bad("i"));
    co_return;
  };
  const auto outer_body = [&]() -> Coro<void> {
    outer.CreateTask(bad("o"));
    co_await inner.Run(inner_body());
  };
  Task<void> t = Start(outer.Run(outer_body()));
  Iterate(6);
  EXPECT_EQ(Members(t.GetException()),
            "ExceptionGroup[ValueError: o, ExceptionGroup[ValueError: i]]");
  EXPECT_EQ(t.Cancelling(), 0);
}

// ---- Cancel. ----

TEST_F(TaskGroupTest, CancelEndsItsTasksAndItsBodyWithoutAnException) {
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("a", 9));
    const auto canceller = [&]() -> Coro<void> {
      co_await Sleep(kNow);
      group.Cancel();
      group.Cancel();  // A second time does nothing.
      Note(Thrown([&] { group.CreateTask(Work("late", 0)); }));
    };
    group.CreateTask(canceller());
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
      Log("body cancelled");
      throw;
    }
  };
  const auto main = [&]() -> Coro<void> {
    co_await group.Run(body);
    Log("end", Cancelling());
    group.Cancel();  // It is over.
    co_await Sleep(kNow);
    Log("not cancelled");
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("RuntimeError: TaskGroup is shutting down",
                          "i4 t=0 a cancelled", "i4 t=0 body cancelled",
                          HasSubstr("end 0"), HasSubstr("not cancelled")));
}

TEST_F(TaskGroupTest, CancelInItsBodyTakesEffectAtTheNextAwait) {
  TaskGroup group;
  const auto body = [&]() -> Coro<int> {
    group.CreateTask(Work("never", 0));
    group.Cancel();
    co_return 7;
  };
  const auto main = [&]() -> Coro<void> {
    const int result = co_await group.Run(body);
    co_await Sleep(kNow);
    Note(result, Cancelling());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("7 0"));
}

TEST_F(TaskGroupTest, CancelWhileItWaitsForItsTasks) {
  TaskGroup group;
  const auto body = [&]() -> Coro<int> {
    group.CreateTask(Work("a", 9));
    co_return 7;
  };
  Task<int> t = Start(group.Run(body()));
  Iterate(3);
  group.Cancel();
  Iterate(4);
  EXPECT_EQ(t.Result(), 7);
  EXPECT_EQ(t.Cancelling(), 0);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("a cancelled")));
}

TEST_F(TaskGroupTest, CancelBeforeItRunsCancelsTheBodyAtItsFirstAwait) {
  TaskGroup group;
  group.Cancel();
  const auto body = [&]() -> Coro<void> {
    Log("begins");
    co_await Sleep(kNow);
    Log("not reached");
  };
  const auto main = [&]() -> Coro<void> {
    co_await group.Run(body());
    Log("end", Cancelling());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("begins"), HasSubstr("end 0")));
}

TEST_F(TaskGroupTest, ABodyThatCancelCutsOffHasNoValue) {
  TaskGroup group;
  const auto body = [&]() -> Coro<int> {
    group.Cancel();
    co_await Sleep(kNow);
    co_return 7;
  };
  const auto main = [&]() -> Coro<void> {
    const std::string raised = co_await Raised(group.Run(body()));
    Note(raised, Cancelling());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("CancelledError() 0"));
}

TEST_F(TaskGroupTest, WhatFailsAfterCancelComesOut) {
  TaskGroup group;
  const auto stubborn = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    throw ValueError("late");
  };
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(stubborn());
    co_await Sleep(kNow);
    group.Cancel();
  };
  Task<void> t = Start(group.Run(body()));
  Iterate(6);
  EXPECT_EQ(Members(t.GetException()), "ExceptionGroup[ValueError: late]");
}

TEST_F(TaskGroupTest, ACancellationFromOutsideIsNotLostInCancel) {
  TaskGroup group;
  const auto slow = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    for (int i = 0; i < 5; ++i) co_await Sleep(kNow);
  };
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(slow());
    co_await Sleep(absl::Seconds(9));
  };
  Task<void> t = Start(group.Run(body()));
  Iterate(2);
  group.Cancel();
  Iterate(2);
  t.Cancel("outside");
  Iterate(9);
  EXPECT_EQ(Thrown([&] { t.Result(); }), "CancelledError: outside");
  EXPECT_EQ(t.Cancelling(), 1);
}

TEST_F(TaskGroupTest, CancelWorksInATaskThatIsCleaningUp) {
  const auto body = [](TaskGroup& group) -> Coro<void> {
    co_await Sleep(kNow);
    group.Cancel();
    co_await Sleep(absl::Seconds(9));
  };
  const auto main = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(9));
    } catch (const CancelledError&) {
    }
    TaskGroup group;
    co_await group.Run(body(group));
    Log("cleaned up", Cancelling());
  };
  Task<void> t = Start(main());
  Iterate(1);
  t.Cancel();
  Iterate(5);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("cleaned up 1")));
}

TEST_F(TaskGroupTest, MayBeDestroyedAfterCancel) {
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("a", 9));
    co_await Sleep(absl::Seconds(9));
  };
  Start(group.Run(body()));
  Iterate(3);
  group.Cancel();
  loop_.Reset();
  EXPECT_THAT(log_, IsEmpty());
}

// ---- Destruction and reports. ----

TEST_F(TaskGroupTest, MayBeDestroyedWhileItWaits) {
  auto group = std::make_unique<TaskGroup>();
  const auto body = [&]() -> Coro<void> {
    group->CreateTask(Work("a", 2));
    co_return;
  };
  Task<void> t = Start(group->Run(body()));
  Iterate(2);
  group.reset();  // The running code no longer needs it.
  Iterate(4);
  EXPECT_TRUE(t.Done());

  TaskGroup second;
  const auto second_body = [&]() -> Coro<void> {
    second.CreateTask(Work("b", 9));
    co_return;
  };
  Start(second.Run(second_body()));
  Iterate(3);
  loop_.Reset();
  EXPECT_THAT(log_, testing::SizeIs(1));
}

TEST_F(TaskGroupTest, SaysWhichTasksItWaitsFor) {
  TaskGroup group;
  const auto body = [&]() -> Coro<void> {
    group.CreateTask(Work("a", 9));
    group.CreateTask(Work("b", 1));
    co_return;
  };
  Task<void> t = Start(group.Run(body()));
  Iterate(4);
  internal::WaitInfo info;
  t.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "TaskGroup(1)");
  EXPECT_EQ(info.parts.size(), 1u);
  loop_.Reset();
}

}  // namespace
}  // namespace clotho
