// Eager tasks and task factories: section E of the rules.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/as_completed.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kNow = absl::ZeroDuration();

Coro<int> Return(int value) { co_return value; }
Coro<int> Throw(std::string message) {
  throw ValueError(std::move(message));
  co_return 0;
}
Coro<int> ReturnLater(int value) {
  co_await Sleep(kNow);
  co_return value;
}

// The loop makes all tasks eager.
class EagerTaskTest : public internal::RuntimeTest {
 protected:
  EagerTaskTest() { loop_.SetTaskFactory(EagerTaskFactory); }

  Coro<void> Say(std::string what) {
    Log(what);
    co_await Sleep(kNow);
    Log(what, "again");
  }
};

// ---- The first step: E-01 to E-03. ----

TEST_F(EagerTaskTest, TheFirstStepRunsInsideCreateTask) {
  const auto main = [&]() -> Coro<void> {
    Log("before");
    Task<void> t = CreateTask(Say("child"));
    Log("after", t.Done());
    co_await t;
    Log("end");
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 before", "i1 t=0 child", "i1 t=0 after False",
                          "i2 t=0 child again", "i3 t=0 end"));
}

TEST_F(EagerTaskTest, OneThatEndsInItsFirstStepIsDoneAtOnce) {
  const auto main = [&]() -> Coro<void> {
    Task<int> t = CreateTask(Return(1));
    EXPECT_TRUE(t.Done());
    EXPECT_EQ(t.Result(), 1);
    EXPECT_FALSE(t.Cancel());
    EXPECT_THAT(AllTasks(), SizeIs(1));  // This one.
    t.AddDoneCallback([&] { Log("callback"); });
    Log("not yet");
    const int value = co_await t;
    Log(value);  // Without a suspension.
    co_await Sleep(kNow);
  };
  Run(main());
  EXPECT_THAT(log_,
              ElementsAre("i1 t=0 not yet", "i1 t=0 1", "i2 t=0 callback"));
}

TEST_F(EagerTaskTest, DuringTheStepItIsTheCurrentTaskAndOneOfAll) {
  const auto child = [&]() -> Coro<void> {
    Note("current", CurrentTask()->GetName());
    for (const AnyTask& task : AllTasks()) Note(task.GetName());
    co_await Sleep(kNow);
    Note("current", CurrentTask()->GetName());
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> t = CreateTask(child(), {.name = "child"});
    Note("current", CurrentTask()->GetName());
    EXPECT_THAT(AllTasks(), SizeIs(2));
    co_await t;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("current child", "Task-1", "child",
                                "current Task-1", "current child"));
}

TEST_F(EagerTaskTest, CreatedInACallbackItLeavesNoCurrentTaskBehind) {
  loop_.CallSoon([&] {
    CreateTask(Say("child"));
    EXPECT_EQ(CurrentTask(), std::nullopt);
  });
  Iterate(2);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 child", "i2 t=0 child again"));
}

TEST_F(EagerTaskTest, WhileTheLoopDoesNotRunATaskIsAnOrdinaryOne) {
  Start(Say("child"));
  EXPECT_THAT(log_, IsEmpty());
  Iterate(2);
  EXPECT_THAT(log_, SizeIs(2));
}

TEST_F(EagerTaskTest, ItRunsInACopyOfTheContext) {
  const ContextVar<int> variable("variable", 0);
  const auto child = [&]() -> Coro<void> {
    Note(variable.Get());
    variable.Set(2);
    co_await Sleep(kNow);
    Note(variable.Get());
  };
  const auto main = [&]() -> Coro<void> {
    variable.Set(1);
    Task<void> t = CreateTask(child());
    Note("main", variable.Get());
    co_await t;
    Note("main", variable.Get());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("1", "main 1", "2", "main 1"));
}

TEST_F(EagerTaskTest, ItsFirstStepCanSetWhatItsCreatorAwaits) {
  const auto main = [&]() -> Coro<int> {
    Future<int> f;
    const auto set = [&]() -> Coro<void> {
      f.SetResult(7);
      co_return;
    };
    CreateTask(set());
    co_return co_await f;
  };
  EXPECT_EQ(Run(main()), 7);
}

TEST_F(EagerTaskTest, TheyNestAsCallsDo) {
  const auto inner = [&]() -> Coro<void> {
    Note(CurrentTask()->GetName());
    co_return;
  };
  const auto outer = [&]() -> Coro<void> {
    CreateTask(inner(), {.name = "inner"});
    Note(CurrentTask()->GetName());
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(outer(), {.name = "outer"});
    Note(CurrentTask()->GetName());
    co_return;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("inner", "outer", "Task-1"));
}

TEST_F(EagerTaskTest, TooManyInsideOfEachOtherAreAnError) {
  int depth = 0;
  std::string error;
  // A lambda that calls itself.
  const auto nest = [&](const auto& self) -> Coro<void> {
    ++depth;
    auto coro = self(self);
    try {
      CreateTask(std::move(coro));
    } catch (const RuntimeError& e) {
      error = e.what();
    }
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(nest(nest));
    co_return;
  };
  Run(main());
  EXPECT_EQ(depth, 1000);
  EXPECT_EQ(error,
            "maximum depth of eager tasks exceeded (1000): each starts the "
            "next one in its first step; start some with .eager_start = false");
  EXPECT_THAT(TakeReports(), SizeIs(1));  // The refused one.
}

// ---- Its end: E-04, E-06. ----

TEST_F(EagerTaskTest, AnExceptionIsKept) {
  const auto main = [&]() -> Coro<void> {
    Task<int> t = CreateTask(Throw("x"));
    EXPECT_TRUE(t.Done());
    try {
      co_await t;
    } catch (const ValueError& e) {
      Note(e.what());
    }
    CreateTask(Throw("unseen"));
  };
  Run(main());
  EXPECT_THAT(log_, ::testing::Contains("x"));
  EXPECT_THAT(TakeReports(), ElementsAre("Task exception was never retrieved: "
                                         "ValueError: unseen"));
}

TEST_F(EagerTaskTest, ACriticalExceptionComesOutOfCreateTask) {
  const auto exit = []() -> Coro<void> {
    throw SystemExit(3);
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    try {
      CreateTask(exit());
    } catch (const SystemExit& e) {
      Note("exit", e.code());
      EXPECT_EQ(CurrentTask()->GetName(), "Task-1");
    }
    co_return;
  };
  Run(main());
  EXPECT_THAT(log_, ::testing::Contains("exit 3"));
  EXPECT_THAT(TakeReports(),
              ElementsAre("Task exception was never retrieved: SystemExit"));
}

TEST_F(EagerTaskTest, OneThatCancelsItselfInItsFirstStepIsCancelled) {
  const auto child = []() -> Coro<int> {
    CurrentTask()->Cancel("me");
    co_return 1;
  };
  const auto main = [&]() -> Coro<void> {
    Task<int> t = CreateTask(child());
    EXPECT_TRUE(t.Cancelled());
    EXPECT_EQ(internal::Thrown([&] { static_cast<void>(t.Result()); }),
              "CancelledError: me");
    co_return;
  };
  Run(main());
}

TEST_F(EagerTaskTest, CancelledAfterItsFirstStepItSeesThat) {
  const auto main = [&]() -> Coro<void> {
    Task<int> t = CreateTask(ReturnLater(1));
    EXPECT_TRUE(t.Cancel("m"));
    EXPECT_EQ(t.Cancelling(), 1);
    co_await t;
  };
  EXPECT_EQ(internal::Thrown([&] { Run(main()); }), "CancelledError: m");
}

TEST_F(EagerTaskTest, OneThatWaitsWhenTheLoopIsClosedIsDestroyedThere) {
  auto witness = std::make_shared<int>(1);
  const auto child = [](std::shared_ptr<int>) -> Coro<void> {
    co_await Sleep(absl::Seconds(1));
  };
  loop_.CallSoon([&] { CreateTask(child(witness)); });
  Iterate();
  EXPECT_EQ(witness.use_count(), 2);
  loop_.Close();
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_THAT(TakeReports(),
              ElementsAre("Task was destroyed but it is pending!"));
}

// ---- With others: E-05. ----

TEST_F(EagerTaskTest, AGatherOfWhatEndsAtOnceDoesNotSuspend) {
  const auto main = [&]() -> Coro<void> {
    auto all = Gather(Return(1), Return(2));
    EXPECT_TRUE(all.Done());
    auto [a, b] = co_await all;
    Log(a, b);
    auto mixed = Gather(Return(1), ReturnLater(2));
    EXPECT_FALSE(mixed.Done());
    auto [c, d] = co_await mixed;
    Log(c, d);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 1 2", "i4 t=0 1 2"));
}

TEST_F(EagerTaskTest, AsCompletedGivesThemAll) {
  const auto main = [&]() -> Coro<void> {
    std::vector<Coro<int>> coros;
    coros.push_back(ReturnLater(1));
    coros.push_back(Return(2));
    auto results = AsCompleted(std::move(coros));
    while (auto task = co_await results.Next()) {
      const int value = co_await *task;
      Note(value);
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("2", "1"));
}

TEST_F(EagerTaskTest, AGroupWithTasksThatAreDoneDoesNotSuspend) {
  const auto main = [&]() -> Coro<void> {
    TaskGroup group;
    const auto body = [&]() -> Coro<void> {
      group.CreateTask(Return(1));
      Log("body");
      co_return;
    };
    co_await group.Run(body);
    Log("end");
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 body", "i1 t=0 end"));
}

TEST_F(EagerTaskTest, AFailureInAFirstStepAbortsTheGroupInsideCreateTask) {
  const auto main = [&]() -> Coro<void> {
    TaskGroup group;
    const auto body = [&]() -> Coro<void> {
      group.CreateTask(Throw("x"));
      Note("cancelling", CurrentTask()->Cancelling());
      Note(internal::Thrown([&] { group.CreateTask(Return(1)); }));
      co_return;
    };
    auto run = group.Run(body);
    try {
      co_await std::move(run);
    } catch (const ExceptionGroup& e) {
      Note(e.what(), CurrentTask()->Cancelling());
    }
  };
  Run(main());
  EXPECT_THAT(
      log_,
      ElementsAre("cancelling 1", "RuntimeError: TaskGroup is shutting down",
                  "unhandled errors in a TaskGroup (1 sub-exception) "
                  "0"));
}

// CPython 3.13.0 hangs here.
TEST_F(EagerTaskTest, AGroupThatFailsDuringAFirstStepCancelsThatTaskToo) {
  const auto main = [&]() -> Coro<void> {
    TaskGroup group;
    const auto child = [&]() -> Coro<void> {
      group.CreateTask(Throw("x"));
      co_await Sleep(absl::Hours(1));
    };
    const auto body = [&]() -> Coro<void> {
      group.CreateTask(child());
      co_return;
    };
    auto run = group.Run(body);
    try {
      co_await std::move(run);
    } catch (const ExceptionGroup&) {
      Note("failed");
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("failed"));
  EXPECT_EQ(loop_.Time(), absl::ZeroDuration());
}

// ---- The option, and the context: E-07. ----

class EagerStartTest : public internal::RuntimeTest {};

TEST_F(EagerStartTest, ASingleTaskCanStartEagerlyOrNot) {
  const auto main = [&]() -> Coro<void> {
    EXPECT_TRUE(CreateTask(Return(1), {.eager_start = true}).Done());
    EXPECT_FALSE(CreateTask(Return(1)).Done());
    GetRunningLoop().SetTaskFactory(EagerTaskFactory);
    EXPECT_TRUE(CreateTask(Return(1)).Done());
    EXPECT_FALSE(CreateTask(Return(1), {.eager_start = false}).Done());
    GetRunningLoop().SetTaskFactory(nullptr);
    EXPECT_FALSE(CreateTask(Return(1)).Done());
    co_await Sleep(kNow);
  };
  Run(main());
}

TEST_F(EagerStartTest, TheStepSeesItsNameAndTheContextThatWasGiven) {
  const ContextVar<int> variable("variable", 0);
  Context given;
  const auto child = [&]() -> Coro<void> {
    Note(CurrentTask()->GetName());
    variable.Set(5);
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    CreateTask(child(),
               {.name = "named", .context = &given, .eager_start = true});
    Note(variable.Get());
    co_return;
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("named", "0"));
  EXPECT_EQ(given.Run([&] { return variable.Get(); }), 5);
}

TEST_F(EagerStartTest, AContextThatIsEnteredIsRefused) {
  Context given;
  const auto child = [&]() -> Coro<void> {
    auto coro = Return(1);
    Note(internal::Thrown([&] {
      CreateTask(std::move(coro), {.context = &given, .eager_start = true});
    }));
    EXPECT_EQ(CurrentTask()->GetName(), "child");
    coro.Close();
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    co_await CreateTask(child(), {.name = "child", .context = &given});
  };
  Run(main());
  EXPECT_THAT(log_, ::testing::Contains(
                        "RuntimeError: cannot enter a context that is entered "
                        "already: start the task with a copy of it, or not "
                        "eagerly"));
  TakeReports();
}

// ---- Task factories. ----

class TaskFactoryTest : public internal::RuntimeTest {};

TEST_F(TaskFactoryTest, MakesEveryTask) {
  std::vector<std::string> made;
  loop_.SetTaskFactory(
      [&](EventLoop& loop, AnyCoro& coro, TaskOptions options) {
        EXPECT_EQ(&loop, &loop_);
        const std::string name = absl::StrCat("made-", made.size() + 1);
        if (options.name.empty()) options.name = name;
        AnyTask task = NewTask(loop, coro, options);
        made.push_back(task.GetName());
        return task;
      });
  const auto main = [&]() -> Coro<void> {
    Task<int> t = CreateTask(Return(1), {.name = "own"});
    const int value = co_await t;
    EXPECT_EQ(value, 1);
    co_await Gather(Return(2), Return(3));
  };
  Run(main());
  EXPECT_THAT(made, ElementsAre("made-1", "own", "made-3", "made-4"));
}

TEST_F(TaskFactoryTest, AnEagerOneOverAnotherAsksThatOne) {
  int made = 0;
  loop_.SetTaskFactory(CreateEagerTaskFactory(
      [&](EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
        ++made;
        EXPECT_EQ(options.eager_start, true);
        return NewTask(loop, coro, options);
      }));
  const auto main = [&]() -> Coro<void> {
    EXPECT_TRUE(CreateTask(Return(1)).Done());
    co_return;
  };
  Run(main());
  EXPECT_EQ(made, 2);
}

TEST_F(TaskFactoryTest, CanBeAskedForAndPutBack) {
  EXPECT_EQ(loop_.GetTaskFactory(), nullptr);
  loop_.SetTaskFactory(EagerTaskFactory);
  const TaskFactory before = loop_.GetTaskFactory();
  EXPECT_NE(before, nullptr);
  loop_.SetTaskFactory(nullptr);
  EXPECT_EQ(loop_.GetTaskFactory(), nullptr);
  loop_.SetTaskFactory(before);
  EXPECT_NE(loop_.GetTaskFactory(), nullptr);
  loop_.Reset();
  EXPECT_EQ(loop_.GetTaskFactory(), nullptr);
}

TEST_F(TaskFactoryTest, OneThatGivesAnotherTaskIsRefused) {
  std::optional<AnyTask> first;
  loop_.SetTaskFactory(
      [&](EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
        if (!first.has_value()) first = NewTask(loop, coro, options);
        return *first;
      });
  const auto main = [&]() -> Coro<void> {
    Note(internal::Thrown([] { CreateTask(Return(1)); }));
    co_return;
  };
  Run(main());
  EXPECT_THAT(log_,
              ::testing::Contains(
                  "TypeError: the task factory gave a task of something else: "
                  "it has to return what NewTask makes of the coroutine that "
                  "it is given"));
  EXPECT_THAT(TakeReports(), SizeIs(1));  // The coroutine was never awaited.
}

TEST_F(TaskFactoryTest, WhatItThrowsComesOutOfCreateTask) {
  const auto main = [&]() -> Coro<void> {
    GetRunningLoop().SetTaskFactory(
        [](EventLoop&, AnyCoro&, const TaskOptions&) -> AnyTask {
          throw ValueError("no more tasks");
        });
    Note(internal::Thrown([] { CreateTask(Return(1)); }));
    co_return;
  };
  Run(main());
  EXPECT_THAT(log_, ::testing::Contains("ValueError: no more tasks"));
  EXPECT_THAT(TakeReports(), SizeIs(1));
}

TEST_F(TaskFactoryTest, MayMakeATaskOnlyOnce) {
  const auto main = [&]() -> Coro<void> {
    GetRunningLoop().SetTaskFactory(
        [](EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
          AnyTask task = NewTask(loop, coro, options);
          task.Cancel();
          return NewTask(loop, coro, options);
        });
    Note(internal::Thrown([] { CreateTask(Return(1)); }));
    co_await Sleep(kNow);
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(::testing::StartsWith(
                        "RuntimeError: cannot reuse already awaited "
                        "coroutine: ")));
}

TEST_F(TaskFactoryTest, OfAClosedLoopIsNotAsked) {
  bool asked = false;
  loop_.SetTaskFactory(
      [&](EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
        asked = true;
        return NewTask(loop, coro, options);
      });
  loop_.Close();
  auto coro = Return(1);
  EXPECT_EQ(internal::Thrown([&] { Start(std::move(coro)); }),
            "RuntimeError: Event loop is closed");
  EXPECT_FALSE(asked);
  TakeReports();
}

}  // namespace
}  // namespace clotho
