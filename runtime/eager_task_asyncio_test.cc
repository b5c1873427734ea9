// CPython's tests of eager tasks (test_eager_task_factory.py). Each test has
// the name and class of the original method.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
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

using internal::Thrown;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class EagerTaskFactoryLoopTests : public internal::RuntimeTest {
 protected:
  EagerTaskFactoryLoopTests() { loop_.SetTaskFactory(EagerTaskFactory); }

  Coro<void> Nothing() { co_return; }
  Coro<std::string> Echo(std::string text) { co_return text; }
  Coro<std::string> SleepThen(Delay delay, std::string text) {
    co_await Sleep(delay);
    co_return text;
  }
};

TEST_F(EagerTaskFactoryLoopTests, EagerTaskFactorySet) {
  using Function = AnyTask (*)(EventLoop&, AnyCoro&, const TaskOptions&);
  ASSERT_NE(loop_.GetTaskFactory(), nullptr);
  EXPECT_EQ(*loop_.GetTaskFactory().target<Function>(), &EagerTaskFactory);
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(Nothing());
    EXPECT_TRUE(task.Done());
    co_await task;
  };
  Run(main());
}

TEST_F(EagerTaskFactoryLoopTests, AwaitFutureDuringEagerStep) {
  const auto set = [](Future<std::string> future,
                      std::string text) -> Coro<void> {
    future.SetResult(text);
    co_return;
  };
  const auto main = [&]() -> Coro<std::string> {
    Future<std::string> future;
    Task<void> task = CreateTask(set(future, "my message"));
    EXPECT_TRUE(task.Done());  // In its eager step.
    co_return co_await future;
  };
  EXPECT_EQ(Run(main()), "my message");
}

TEST_F(EagerTaskFactoryLoopTests, EagerCompletion) {
  const auto main = [&]() -> Coro<std::string> {
    Task<std::string> task = CreateTask(Echo("hello"));
    EXPECT_TRUE(task.Done());
    co_return co_await task;
  };
  EXPECT_EQ(Run(main()), "hello");
}

TEST_F(EagerTaskFactoryLoopTests, BlockAfterEagerStep) {
  const auto main = [&]() -> Coro<std::string> {
    Task<std::string> task =
        CreateTask(SleepThen(absl::Milliseconds(100), "finished"));
    EXPECT_FALSE(task.Done());
    std::string result = co_await task;
    EXPECT_TRUE(task.Done());
    co_return result;
  };
  EXPECT_EQ(Run(main()), "finished");
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

TEST_F(EagerTaskFactoryLoopTests, CancellationAfterEagerCompletion) {
  const auto main = [&]() -> Coro<std::string> {
    Task<std::string> task = CreateTask(Echo("finished"));
    EXPECT_FALSE(task.Cancel());  // Too late.
    std::string result = co_await task;
    EXPECT_FALSE(task.Cancelled());
    co_return result;
  };
  EXPECT_EQ(Run(main()), "finished");
}

TEST_F(EagerTaskFactoryLoopTests, CancellationAfterEagerStepBlocks) {
  const auto main = [&]() -> Coro<std::string> {
    Task<std::string> task =
        CreateTask(SleepThen(absl::Milliseconds(100), "finished"));
    task.Cancel("cancellation message");
    EXPECT_GT(task.Cancelling(), 0);
    co_return co_await task;
  };
  EXPECT_EQ(Thrown([&] { Run(main()); }),
            "CancelledError: cancellation message");
}

TEST_F(EagerTaskFactoryLoopTests, CurrentTask) {
  std::optional<AnyTask> seen;
  const auto look = [&]() -> Coro<void> {
    seen = CurrentTask();
    co_await Sleep(absl::Milliseconds(100));
    EXPECT_EQ(CurrentTask(), seen);  // The same after the eager step.
  };
  const auto main = [&]() -> Coro<void> {
    const std::optional<AnyTask> self = CurrentTask();
    Task<void> task = CreateTask(look());
    EXPECT_EQ(seen, AnyTask(task));
    EXPECT_EQ(CurrentTask(), self);
    co_await task;
  };
  Run(main());
}

TEST_F(EagerTaskFactoryLoopTests, AllTasksWithEagerCompletion) {
  std::vector<AnyTask> seen;
  const auto look = [&]() -> Coro<void> {
    seen = AllTasks();
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(look());
    EXPECT_THAT(seen, Contains(AnyTask(task)));
    EXPECT_THAT(AllTasks(), Not(Contains(AnyTask(task))));
    co_return;
  };
  Run(main());
}

TEST_F(EagerTaskFactoryLoopTests, AllTasksWithBlocking) {
  std::vector<AnyTask> seen;
  const auto look = [&](Future<void> first, Future<void> second) -> Coro<void> {
    seen = AllTasks();
    co_await first;
    second.SetResult();
  };
  const auto main = [&]() -> Coro<void> {
    Future<void> first;
    Future<void> second;
    Task<void> task = CreateTask(look(first, second));
    EXPECT_THAT(seen, Contains(AnyTask(task)));
    EXPECT_THAT(AllTasks(), Contains(AnyTask(task)));
    first.SetResult();
    co_await second;
    EXPECT_THAT(AllTasks(), Not(Contains(AnyTask(task))));
  };
  Run(main());
}

TEST_F(EagerTaskFactoryLoopTests, ContextVars) {
  const ContextVar<int> variable("variable", 0);
  int steps = 0;
  const auto set = [&]() -> Coro<void> {
    EXPECT_EQ(variable.Get(), 1);
    variable.Set(2);
    EXPECT_EQ(variable.Get(), 2);
    steps = 1;
    co_await Sleep(absl::Milliseconds(100));
    EXPECT_EQ(variable.Get(), 2);
    variable.Set(3);
    EXPECT_EQ(variable.Get(), 3);
    steps = 2;
  };
  const auto main = [&]() -> Coro<void> {
    variable.Set(1);
    Task<void> task = CreateTask(set());
    EXPECT_EQ(steps, 1);
    EXPECT_EQ(variable.Get(), 1);
    co_await task;
    EXPECT_EQ(steps, 2);
    EXPECT_EQ(variable.Get(), 1);
  };
  Run(main());
}

// What the class for CPython's implementation in C adds.
class CEagerTaskFactoryLoopTests : public EagerTaskFactoryLoopTests {};

TEST_F(CEagerTaskFactoryLoopTests, Issue105987) {
  // An eager step puts back what was the current task: none, in a callback.
  loop_.CallSoon([&] {
    EXPECT_EQ(CurrentTask(), std::nullopt);
    CreateTask(Nothing());
    EXPECT_EQ(CurrentTask(), std::nullopt);
  });
  Iterate();
  EXPECT_EQ(CoreOf(loop_).current_task(), nullptr);
}

TEST_F(CEagerTaskFactoryLoopTests, Issue122332) {
  // One that is done has no coroutine any more, and says so.
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(Nothing());
    co_await task;
    EXPECT_THAT(task.GetStack(), IsEmpty());
    EXPECT_EQ(task.base().code(), nullptr);
  };
  Run(main());
}

// ---- How many tasks are not eager: none of them, or all. ----

Coro<int> AwaitableChain(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await AwaitableChain(depth - 1);
  co_return below + 1;
}

Coro<void> RecursiveTaskgroups(int width, int depth) {
  if (depth == 0) co_return;
  TaskGroup group;
  const auto spawn = [&]() -> Coro<void> {
    for (int i = 0; i < width; ++i) {
      group.CreateTask(RecursiveTaskgroups(width, depth - 1));
    }
    co_return;
  };
  auto body = group.Run(spawn);
  co_await std::move(body);
}

Coro<void> RecursiveGather(int width, int depth) {
  if (depth == 0) co_return;
  std::vector<Coro<void>> coros;
  for (int i = 0; i < width; ++i) {
    coros.push_back(RecursiveGather(width, depth - 1));
  }
  co_await Gather(std::move(coros));
}

class BaseTaskCountingTests : public internal::RuntimeTest,
                              public testing::WithParamInterface<bool> {
 protected:
  BaseTaskCountingTests() {
    TaskFactory count = [this](EventLoop& loop, AnyCoro& coro,
                               const TaskOptions& options) {
      if (!options.eager_start.value_or(false)) ++count_;
      return NewTask(loop, coro, options);
    };
    loop_.SetTaskFactory(eager() ? CreateEagerTaskFactory(std::move(count))
                                 : std::move(count));
  }
  static bool eager() { return GetParam(); }
  // 1 + 5 + 5^2 + 5^3 + 5^4, or no task at all.
  static int expected() { return eager() ? 0 : 781; }

  int count_ = 0;  // Tasks that do not start eagerly.
};

INSTANTIATE_TEST_SUITE_P(, BaseTaskCountingTests, testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Eager" : "NonEager";
                         });

TEST_P(BaseTaskCountingTests, AwaitablesChain) {
  EXPECT_EQ(Run(AwaitableChain(100)), 100);
  EXPECT_EQ(count_, eager() ? 0 : 1);
}

TEST_P(BaseTaskCountingTests, RecursiveTaskgroups) {
  Run(RecursiveTaskgroups(5, 4));
  EXPECT_EQ(count_, expected());
}

TEST_P(BaseTaskCountingTests, RecursiveGather) {
  Run(RecursiveGather(5, 4));
  EXPECT_EQ(count_, expected());
}

}  // namespace
}  // namespace clotho
