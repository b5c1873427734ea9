// CPython's tests of asyncio.TaskGroup (test_taskgroups.py), ported to
// TaskGroup. Each test has the name of the original method. Tests whose names
// are only numbers are described by a comment.

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Thrown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr Delay kNow;

// The error of the tasks, and others to tell it from.
class Crash : public Exception {
 public:
  using Exception::Exception;
};
class MyExc : public Exception {
 public:
  using Exception::Exception;
};
class MyBaseExc : public BaseException {
 public:
  const char* what() const noexcept override { return ""; }
};

// "Crash", "ExceptionGroup[Crash, ExceptionGroup[MyExc]]"; "nothing" for null.
std::string Classes(const std::exception_ptr& exception) {
  if (exception == nullptr) return "nothing";
  try {
    std::rethrow_exception(exception);
  } catch (const BaseExceptionGroup& group) {
    std::string text = absl::StrCat(ExceptionClass(exception), "[");
    const char* separator = "";
    for (const std::exception_ptr& member : group.exceptions()) {
      absl::StrAppend(&text, separator, Classes(member));
      separator = ", ";
    }
    return absl::StrCat(text, "]");
  } catch (...) {
    return ExceptionClass(exception);
  }
}

// Only what a Clotho coroutine can await, and so only a task, can enter a
// group.
template <typename A>
concept AwaitableByAnyCoroutine =
    requires(A a) { a.await_ready(); } || requires(A a) {
      std::move(a).operator co_await();
    } || requires(A a) { operator co_await(std::move(a)); };
static_assert(!AwaitableByAnyCoroutine<Coro<void>>);

class TestTaskGroup : public internal::RuntimeTest {
 protected:
  Coro<void> Nothing() { co_return; }
  Coro<void> SleepFor(Delay delay) { co_await Sleep(delay); }
  Coro<int> Give(Delay delay, int result) {
    co_await Sleep(delay);
    co_return result;
  }
  template <typename Error = Crash>
  Coro<void> CrashAfter(Delay delay) {
    co_await Sleep(delay);
    throw Error();
  }
  // Sleeps, and crashes when that is cancelled.
  template <typename Error = Crash>
  Coro<void> CrashWhenCancelled() {
    try {
      co_await Sleep(absl::Seconds(10));
    } catch (const CancelledError&) {
      throw Error();
    }
  }
  // Sleeps, and adds to the sum when that is cancelled.
  Coro<void> CountWhenCancelled(int amount) {
    try {
      co_await Sleep(absl::Seconds(10));
    } catch (const CancelledError&) {
      sum_ += amount;
      throw;
    }
  }
  // Sleeps, and takes half a second to let itself be cancelled.
  Coro<void> CleanUpWhenCancelled() {
    std::exception_ptr cancelled;
    try {
      co_await Sleep(absl::Seconds(10));
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
    }
    if (cancelled == nullptr) co_return;
    co_await Sleep(absl::Milliseconds(500));
    std::rethrow_exception(cancelled);
  }

  // The classes of what comes out of the loop that runs until `awaitable` is
  // done.
  template <typename A>
  std::string Raised(A awaitable) {
    try {
      loop_.RunUntilComplete(std::move(awaitable));
    } catch (...) {
      return Classes(std::current_exception());
    }
    return "nothing";
  }
  // The same, of a task that is cancelled after a while.
  std::string RaisedWhenCancelled(Coro<void> coro,
                                  Delay delay = absl::Milliseconds(100)) {
    Task<void> task = Start(std::move(coro));
    Run(SleepFor(delay));
    EXPECT_FALSE(task.Done());
    task.Cancel();
    return Raised(task);
  }

  static int Cancelling() { return CurrentTask()->Cancelling(); }

  TaskGroup group_;
  int sum_ = 0;
};

// ---- Tasks that end. ----

// It ends when its tasks have.
TEST_F(TestTaskGroup, Taskgroup01) {
  std::vector<Task<int>> tasks;
  const auto body = [&]() -> Coro<void> {
    tasks.push_back(group_.CreateTask(Give(absl::Milliseconds(100), 42)));
    tasks.push_back(group_.CreateTask(Give(absl::Milliseconds(200), 11)));
    co_return;
  };
  Run(group_.Run(body()));
  EXPECT_EQ(tasks[0].Result(), 42);
  EXPECT_EQ(tasks[1].Result(), 11);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(200));
}

// So it does with tasks that come while the body waits.
TEST_F(TestTaskGroup, Taskgroup02) {
  std::vector<Task<int>> tasks;
  const auto body = [&]() -> Coro<void> {
    tasks.push_back(group_.CreateTask(Give(absl::Milliseconds(100), 42)));
    co_await Sleep(absl::Milliseconds(150));
    tasks.push_back(group_.CreateTask(Give(absl::Milliseconds(200), 11)));
  };
  Run(group_.Run(body()));
  EXPECT_EQ(tasks[0].Result(), 42);
  EXPECT_EQ(tasks[1].Result(), 11);
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(350));
}

// A task that is cancelled by itself is no failure.
TEST_F(TestTaskGroup, Taskgroup03) {
  std::vector<Task<int>> tasks;
  const auto body = [&]() -> Coro<void> {
    tasks.push_back(group_.CreateTask(Give(absl::Seconds(1), 42)));
    co_await Sleep(absl::Milliseconds(150));
    tasks[0].Cancel();
    tasks.push_back(group_.CreateTask(Give(absl::Milliseconds(200), 11)));
  };
  Run(group_.Run(body()));
  EXPECT_TRUE(tasks[0].Cancelled());
  EXPECT_EQ(tasks[1].Result(), 11);
}

// ---- Tasks that fail. ----

// One that fails takes the others along.
TEST_F(TestTaskGroup, Taskgroup04) {
  std::vector<Task<void>> tasks;
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(100)));
    tasks.push_back(group_.CreateTask(CountWhenCancelled(1)));
    co_return;
  };
  const auto main = [&]() -> Coro<void> {
    co_await group_.Run(body());
    sum_ += 10;
  };
  EXPECT_EQ(Raised(main()), "ExceptionGroup[Crash]");
  EXPECT_EQ(sum_, 1);
  EXPECT_TRUE(tasks[0].Cancelled());
}

TEST_F(TestTaskGroup, CancelChildrenOnChildError) {
  const auto body = [&]() -> Coro<void> {
    for (int i = 0; i < 3; ++i) {
      group_.CreateTask(CrashAfter(absl::Milliseconds(100)));
    }
    group_.CreateTask(CountWhenCancelled(1));
    co_await CountWhenCancelled(10);
  };
  const auto main = [&]() -> Coro<void> {
    co_await group_.Run(body());
    sum_ += 100;
  };
  // They are woken in one iteration: none is cancelled in time.
  EXPECT_EQ(Raised(main()), "ExceptionGroup[Crash, Crash, Crash]");
  EXPECT_EQ(sum_, 11);
}

// ---- It is cancelled. ----

TEST_F(TestTaskGroup, Cancellation) {
  const auto body = [&]() -> Coro<void> {
    for (int i = 0; i < 5; ++i) group_.CreateTask(CountWhenCancelled(1));
    co_return;
  };
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(body())), "CancelledError");
  EXPECT_EQ(sum_, 5);
}

// Its body is at an await, too.
TEST_F(TestTaskGroup, Taskgroup07) {
  const auto body = [&]() -> Coro<void> {
    for (int i = 0; i < 5; ++i) group_.CreateTask(CountWhenCancelled(1));
    co_await CountWhenCancelled(10);
  };
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(body())), "CancelledError");
  EXPECT_EQ(sum_, 15);
}

// Tasks that fail when they are cancelled count for more than that.
TEST_F(TestTaskGroup, Taskgroup08) {
  const auto body = [&]() -> Coro<void> {
    for (int i = 0; i < 5; ++i) group_.CreateTask(CrashWhenCancelled());
    co_await Sleep(absl::Seconds(10));
  };
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(body())),
            "ExceptionGroup[Crash, Crash, Crash, Crash, Crash]");
}

// ---- Its body fails. ----

// Some time after it began.
TEST_F(TestTaskGroup, Taskgroup09) {
  std::vector<Task<int>> tasks;
  const auto body = [&]() -> Coro<void> {
    tasks.push_back(group_.CreateTask(Give(absl::Seconds(1), 42)));
    tasks.push_back(group_.CreateTask(Give(absl::Seconds(2), 11)));
    co_await Sleep(absl::Milliseconds(100));
    throw Crash();
  };
  EXPECT_EQ(Raised(group_.Run(body())), "ExceptionGroup[Crash]");
  EXPECT_TRUE(tasks[0].Cancelled());
  EXPECT_TRUE(tasks[1].Cancelled());
}

// At once, before the tasks have begun.
TEST_F(TestTaskGroup, Taskgroup10) {
  std::vector<Task<int>> tasks;
  const auto body = [&]() -> Coro<void> {
    tasks.push_back(group_.CreateTask(Give(absl::Seconds(1), 42)));
    tasks.push_back(group_.CreateTask(Give(absl::Seconds(2), 11)));
    throw Crash();
    co_return;
  };
  EXPECT_EQ(Raised(group_.Run(body())), "ExceptionGroup[Crash]");
  EXPECT_TRUE(tasks[0].Cancelled());
  EXPECT_TRUE(tasks[1].Cancelled());
}

// ---- Groups in groups. ----

// What comes out of the inner one is one error of the outer.
TEST_F(TestTaskGroup, Taskgroup11) {
  TaskGroup inner;
  const auto inner_body = [&]() -> Coro<void> {
    for (int i = 0; i < 5; ++i) inner.CreateTask(CrashWhenCancelled());
    co_await Sleep(absl::Seconds(10));
  };
  const auto body = [&]() -> Coro<void> { co_await inner.Run(inner_body()); };
  EXPECT_EQ(
      RaisedWhenCancelled(group_.Run(body())),
      "ExceptionGroup[ExceptionGroup[Crash, Crash, Crash, Crash, Crash]]");
}

// So it is when the outer has a task, which adds nothing.
TEST_F(TestTaskGroup, Taskgroup12) {
  TaskGroup inner;
  const auto inner_body = [&]() -> Coro<void> {
    for (int i = 0; i < 5; ++i) inner.CreateTask(CrashWhenCancelled());
    co_await Sleep(absl::Seconds(10));
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(Sleep(absl::Seconds(10)));
    co_await inner.Run(inner_body());
  };
  EXPECT_EQ(
      RaisedWhenCancelled(group_.Run(body())),
      "ExceptionGroup[ExceptionGroup[Crash, Crash, Crash, Crash, Crash]]");
}

// A failure in the outer cancels the inner, which is no error of that.
TEST_F(TestTaskGroup, Taskgroup13) {
  TaskGroup inner;
  const auto inner_body = [&]() -> Coro<void> {
    inner.CreateTask(CrashAfter(absl::Seconds(10)));
    co_return;
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter<MyExc>(absl::Milliseconds(100)));
    co_await inner.Run(inner_body());
  };
  EXPECT_EQ(Raised(group_.Run(body())), "ExceptionGroup[MyExc]");
}

// A failure in the inner cancels the tasks of the outer.
TEST_F(TestTaskGroup, Taskgroup14) {
  TaskGroup inner;
  const auto inner_body = [&]() -> Coro<void> {
    inner.CreateTask(CrashAfter<MyExc>(absl::Milliseconds(100)));
    co_return;
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Seconds(10)));
    co_await inner.Run(inner_body());
  };
  EXPECT_EQ(Raised(group_.Run(body())),
            "ExceptionGroup[ExceptionGroup[MyExc]]");
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(100));
}

// ---- Cancelled and failed. ----

// A task fails while the body cleans up after the cancellation.
TEST_F(TestTaskGroup, Taskgroup15) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(300)));
    co_await CleanUpWhenCancelled();
  };
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(body())), "ExceptionGroup[Crash]");
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(300));
}

// The same in a task that the cancelled one awaits.
TEST_F(TestTaskGroup, Taskgroup16) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(300)));
    co_await CleanUpWhenCancelled();
  };
  const auto main = [&]() -> Coro<void> {
    Task<void> task = CreateTask(group_.Run(body()));
    co_await task;
  };
  EXPECT_EQ(RaisedWhenCancelled(main()), "ExceptionGroup[Crash]");
}

// Cancelled with nothing but a body.
TEST_F(TestTaskGroup, Taskgroup17) {
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(CountWhenCancelled(10))),
            "CancelledError");
  EXPECT_EQ(sum_, 10);
}

// The body makes an error of the cancellation: unwise, but it counts.
TEST_F(TestTaskGroup, Taskgroup18) {
  const auto body = [&]() -> Coro<void> {
    try {
      co_await CountWhenCancelled(10);
    } catch (const CancelledError&) {
      throw MyExc();
    }
  };
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(body())), "ExceptionGroup[MyExc]");
  EXPECT_EQ(sum_, 10);
}

// A task fails, and the body fails when it is cancelled for that.
TEST_F(TestTaskGroup, Taskgroup19) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(100)));
    co_await CrashWhenCancelled<MyExc>();
  };
  Task<void> task = Start(group_.Run(body()));
  EXPECT_EQ(Raised(task), "ExceptionGroup[Crash, MyExc]");
}

// KeyboardInterrupt comes out as it is, and the error of the task is dropped.
TEST_F(TestTaskGroup, Taskgroup20) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(100)));
    co_await CrashWhenCancelled<KeyboardInterrupt>();
  };
  const auto main = [&]() -> Coro<std::string> {
    std::exception_ptr error;
    try {
      co_await group_.Run(body());
    } catch (...) {
      error = std::current_exception();
    }
    co_return Classes(error);
  };
  EXPECT_EQ(Run(main()), "KeyboardInterrupt");
}

// If the body throws a non-error, the group's exception is not an error.
TEST_F(TestTaskGroup, Taskgroup20a) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(100)));
    co_await CrashWhenCancelled<MyBaseExc>();
  };
  EXPECT_EQ(Raised(group_.Run(body())), "BaseExceptionGroup[Crash, MyBaseExc]");
}

// The same holds for a task.
TEST_F(TestTaskGroup, Taskgroup21a) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter<MyBaseExc>(absl::Milliseconds(100)));
    co_await CrashWhenCancelled<TypeError>();
  };
  EXPECT_EQ(Raised(group_.Run(body())),
            "BaseExceptionGroup[MyBaseExc, TypeError]");
}

// Cancelled while it waits for its tasks.
TEST_F(TestTaskGroup, Taskgroup22) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(Give(absl::Seconds(1), 42));
    group_.CreateTask(Give(absl::Seconds(2), 11));
    co_return;
  };
  EXPECT_EQ(RaisedWhenCancelled(group_.Run(body()), absl::Milliseconds(50)),
            "CancelledError");
}

// ---- Many tasks. ----

// It does not keep tasks that have ended alive.
TEST_F(TestTaskGroup, Taskgroup23) {
  const auto witness = std::make_shared<int>(0);
  // Until it ends, the task holds the witness in its frame; after that, as long
  // as it exists, in its result.
  const auto job = [](std::shared_ptr<int> held) -> Coro<std::shared_ptr<int>> {
    co_await Sleep(absl::Milliseconds(300));
    co_return held;
  };
  const auto tasks_held = [&] { return witness.use_count() - 1; };
  const auto body = [&]() -> Coro<void> {
    for (int i = 0; i < 10; ++i) {
      co_await Sleep(absl::Milliseconds(100));
      group_.CreateTask(job(witness));
      if (i == 5) {
        EXPECT_LT(tasks_held(), 5);
      }
    }
    EXPECT_GT(tasks_held(), 0);
    co_await Sleep(absl::Milliseconds(1350));
    EXPECT_EQ(tasks_held(), 0);
  };
  Run(group_.Run(body()));
}

// Tasks may add tasks.
TEST_F(TestTaskGroup, Taskgroup24) {
  const auto root = [&]() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(100));
    group_.CreateTask(SleepFor(absl::Milliseconds(100)));
    group_.CreateTask(SleepFor(absl::Milliseconds(200)));
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(root());
    co_return;
  };
  Run(group_.Run(body()));
  EXPECT_EQ(loop_.Time(), absl::Milliseconds(300));
}

// A failure ends tasks that multiply.
TEST_F(TestTaskGroup, Taskgroup25) {
  int hydras = 0;
  const auto hydra = [&](const auto& self) -> Coro<void> {
    ++hydras;
    co_await Sleep(absl::Milliseconds(10));
    group_.CreateTask(self(self));
    group_.CreateTask(self(self));
  };
  const auto hercules = [&]() -> Coro<void> {
    while (hydras < 10) co_await Sleep(absl::Milliseconds(15));
    throw Crash();
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(hydra(hydra));
    group_.CreateTask(hercules());
    co_return;
  };
  EXPECT_EQ(Raised(group_.Run(body())), "ExceptionGroup[Crash]");
  EXPECT_GE(hydras, 10);
}

// ---- What CreateTask takes, and when. ----

TEST_F(TestTaskGroup, TaskgroupTaskName) {
  const auto body = [&]() -> Coro<void> {
    Task<void> task = group_.CreateTask(SleepFor(kNow), {.name = "yolo"});
    EXPECT_EQ(task.GetName(), "yolo");
    co_return;
  };
  Run(group_.Run(body()));
}

TEST_F(TestTaskGroup, TaskgroupTaskContext) {
  const ContextVar<int> variable("variable", 0);
  const auto set = [&](int value) -> Coro<void> {
    co_await Sleep(kNow);
    variable.Set(value);
  };
  const auto body = [&]() -> Coro<void> {
    Context context = CopyContext();
    const auto seen = [&] {
      return context.Run([&] { return variable.Get(); });
    };
    EXPECT_EQ(seen(), 0);
    for (const int value : {1, 2}) {
      Task<void> task = group_.CreateTask(set(value), {.context = &context});
      co_await task;
      EXPECT_EQ(seen(), value);
    }
    EXPECT_EQ(variable.Get(), 0);
  };
  Run(group_.Run(body()));
}

TEST_F(TestTaskGroup, TaskgroupNoCreateTaskAfterFailure) {
  const auto late = [&]() -> Coro<void> {
    try {
      co_await Sleep(absl::Seconds(1));
    } catch (const CancelledError&) {
      EXPECT_THROW(group_.CreateTask(CrashAfter(kNow)), RuntimeError);
      sum_ = 1;
    }
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(absl::Milliseconds(1)));
    group_.CreateTask(late());
    co_return;
  };
  EXPECT_EQ(Raised(group_.Run(body())), "ExceptionGroup[Crash]");
  EXPECT_EQ(sum_, 1);
}

TEST_F(TestTaskGroup, TaskgroupContextManagerExitRaises) {
  const auto fail = []() -> Coro<void> {
    throw MyExc();
    co_return;
  };
  // Like a resource that cannot be released.
  const auto body = [&]() -> Coro<void> {
    try {
      group_.CreateTask(fail());
      co_await Sleep(absl::Seconds(1));
    } catch (...) {
      throw MyExc();
    }
  };
  const auto main = [&]() -> Coro<std::string> {
    std::exception_ptr error;
    try {
      co_await group_.Run(body());
    } catch (...) {
      error = std::current_exception();
      EXPECT_EQ(Cancelling(), 0);
    }
    co_return Classes(error);
  };
  EXPECT_EQ(Run(main()), "ExceptionGroup[MyExc, MyExc]");
}

TEST_F(TestTaskGroup, TaskgroupAlreadyEntered) {
  const auto body = [&]() -> Coro<void> {
    std::string refusal;
    try {
      co_await group_.Run(Sleep(kNow));
    } catch (const RuntimeError& e) {
      refusal = e.what();
    }
    EXPECT_THAT(refusal, HasSubstr("has already been entered"));
  };
  Run(group_.Run(body()));
}

TEST_F(TestTaskGroup, TaskgroupDoubleEnter) {
  Run(group_.Run(Nothing()));
  EXPECT_THAT(Thrown([&] { Run(group_.Run(Sleep(kNow))); }),
              HasSubstr("RuntimeError: TaskGroup has already been entered"));
}

// The coroutine is closed: it is not reported as never awaited.
TEST_F(TestTaskGroup, TaskgroupFinished) {
  const auto main = [&]() -> Coro<void> {
    co_await group_.Run(Nothing());
    EXPECT_THAT(Thrown([&] { group_.CreateTask(Nothing()); }),
                HasSubstr("is finished"));
  };
  Run(main());
  EXPECT_THAT(TakeReports(), SizeIs(0));
}

TEST_F(TestTaskGroup, TaskgroupNotEntered) {
  const auto main = [&]() -> Coro<void> {
    EXPECT_THAT(Thrown([&] { group_.CreateTask(Nothing()); }),
                HasSubstr("has not been entered"));
    co_return;
  };
  Run(main());
}

// A plain callback can make the coroutine that would enter the group, but not
// await it (see the assertion above): the group stays as it is.
TEST_F(TestTaskGroup, TaskgroupWithoutParentTask) {
  std::string refusal;
  loop_.CallSoon([&] {
    EXPECT_FALSE(CurrentTask().has_value());
    {
      auto dropped = group_.Run(Sleep(kNow));
    }
    refusal = Thrown([&] { group_.CreateTask(Nothing()); });
  });
  Iterate();
  EXPECT_THAT(refusal, HasSubstr("has not been entered"));
  EXPECT_THAT(TakeReports(), ElementsAre(HasSubstr("was never awaited")));
  Run(group_.Run(Nothing()));
}

// The same as when it is finished, from another run of the loop.
TEST_F(TestTaskGroup, CoroClosedWhenTgClosed) {
  Run(group_.Run(Nothing()));
  const auto main = [&]() -> Coro<void> {
    EXPECT_THAT(Thrown([&] { group_.CreateTask(Nothing()); }),
                HasSubstr("is finished"));
    co_return;
  };
  Run(main());
  EXPECT_THAT(TakeReports(), SizeIs(0));
}

// ---- The count of requests to cancel. ----

TEST_F(TestTaskGroup, CancellingLevelPreserved) {
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(CrashAfter(kNow));
    co_return;
  };
  const auto main = [&]() -> Coro<int> {
    try {
      co_await group_.Run(body());
    } catch (const ExceptionGroup&) {
    }
    co_return Cancelling();
  };
  EXPECT_EQ(Run(main()), 0);
}

TEST_F(TestTaskGroup, NestedGroupsBothCancelled) {
  TaskGroup inner;
  std::vector<std::string> raised;
  const auto inner_body = [&]() -> Coro<void> {
    inner.CreateTask(CrashAfter<RuntimeError>(kNow));
    group_.CreateTask(CrashAfter<ValueError>(kNow));
    co_return;
  };
  const auto body = [&]() -> Coro<void> {
    try {
      co_await inner.Run(inner_body());
    } catch (const ExceptionGroup&) {
      raised.push_back(Classes(std::current_exception()));
    }
    EXPECT_EQ(Cancelling(), 1);  // By the outer group.
  };
  const auto main = [&]() -> Coro<void> {
    try {
      co_await group_.Run(body());
    } catch (const ExceptionGroup&) {
      raised.push_back(Classes(std::current_exception()));
    }
    EXPECT_EQ(Cancelling(), 0);
  };
  Run(main());
  EXPECT_THAT(raised, ElementsAre("ExceptionGroup[RuntimeError]",
                                  "ExceptionGroup[ValueError]"));
}

TEST_F(TestTaskGroup, ErrorAndCancel) {
  Event event;
  const auto fail = [&]() -> Coro<void> {
    event.Set();
    co_await Sleep(kNow);
    throw RuntimeError();
  };
  const auto body = [&]() -> Coro<void> {
    group_.CreateTask(fail());
    co_await Sleep(absl::Seconds(1));
    ADD_FAILURE() << "the body was not cancelled";
  };
  const auto inner = [&]() -> Coro<void> {
    std::string raised;
    try {
      co_await group_.Run(body());
    } catch (const ExceptionGroup&) {
      raised = Classes(std::current_exception());
      EXPECT_EQ(Cancelling(), 1);
    }
    EXPECT_EQ(raised, "ExceptionGroup[RuntimeError]");
    EXPECT_EQ(Cancelling(), 1);
    co_await Sleep(absl::Seconds(1));
    ADD_FAILURE() << "the request of the cancellation was lost";
  };
  const auto outer = [&]() -> Coro<void> {
    Task<void> task = CreateTask(inner());
    co_await event.Wait();
    EXPECT_EQ(task.Cancelling(), 0);
    task.Cancel();
    EXPECT_EQ(task.Cancelling(), 1);
    bool cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(task.Cancelled());
  };
  Run(outer());
}

}  // namespace
}  // namespace clotho
