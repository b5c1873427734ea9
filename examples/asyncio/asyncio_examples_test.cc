// The examples print what they claim, and take exactly the expected time: the
// last line is the time of the virtual clock.

#include <sys/wait.h>

#include <cstddef>
#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::examples {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;

struct Ended {
  int code = 0;
  std::string output;  // Both of its streams.
};

// Runs an example with arguments, from the root of the runfiles.
Ended RunProgram(const std::string& command) {
  Ended ended;
  std::FILE* const pipe =
      popen(("examples/asyncio/" + command + " 2>&1").c_str(), "r");
  char buffer[4096];
  for (std::size_t size = 0; (size = fread(buffer, 1, sizeof buffer, pipe));) {
    ended.output.append(buffer, size);
  }
  const int status = pclose(pipe);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

// What an example prints on the virtual clock, after a line break: raw strings
// are easier to read so.
std::string OutputOf(const std::string& name) {
  const Ended ended = RunProgram(name);
  EXPECT_EQ(ended.code, 0);
  return "\n" + ended.output;
}

TEST(AsyncioExamplesTest, CustomAwaitable) {
  EXPECT_EQ(OutputOf("custom_awaitable"), R"(
in Task-2
name: kk, address: ll
[1 s]
)");
}

TEST(AsyncioExamplesTest, LongTask) {
  EXPECT_EQ(OutputOf("long_task"), R"(
get_html 10
cancel: false
result 10
[10 s]
)");
}

TEST(AsyncioExamplesTest, LongTaskCancel) {
  EXPECT_EQ(OutputOf("long_task_cancel"), R"(
the task was cancelled
timeout, cancelled: true
timeout, cancelled: false
get_html 10
result 10
[11 s]
)");
}

TEST(AsyncioExamplesTest, TwoCoroutines) {
  EXPECT_EQ(OutputOf("two_coroutines"), R"(
get_html 3
get_html 2
3
2
total 5 s
[5 s]
)");
}

TEST(AsyncioExamplesTest, TwoTasks) {
  EXPECT_EQ(OutputOf("two_tasks"), R"(
get_html 2
get_html 3
3
2
total 3 s
[3 s]
)");
}

TEST(AsyncioExamplesTest, CallSoonLaterAt) {
  EXPECT_EQ(OutputOf("call_soon_later_at"), R"(
soon 1
soon 3
at
later
[3 s]
)");
}

TEST(AsyncioExamplesTest, CreateTaskEnsureFuture) {
  EXPECT_EQ(OutputOf("create_task_ensure_future"), R"(
done: false
1
1
[0 s]
)");
}

TEST(AsyncioExamplesTest, CurrentAndAllTasks) {
  EXPECT_EQ(OutputOf("current_and_all_tasks"), R"(
Task-1 sees Task-1
Task-1 sees Task-1 Task-2
Task-2 sees Task-1 Task-2
Task-1 sees Task-1
[0 s]
)");
}

TEST(AsyncioExamplesTest, DisplayDate) {
  EXPECT_EQ(OutputOf("display_date"), R"(
0 s
1 s
2 s
3 s
4 s
[4 s]
)");
}

TEST(AsyncioExamplesTest, GatherCancelled) {
  EXPECT_EQ(OutputOf("gather_cancelled"), R"(
cancelled
done 3
CancelledError, 3
[4 s]
)");
}

TEST(AsyncioExamplesTest, GatherExceptions) {
  EXPECT_EQ(OutputOf("gather_exceptions"), R"(
raised after 1 s: bad
done 2
done 3
done 2
2, runtime_error: bad
[8 s]
)");
}

TEST(AsyncioExamplesTest, GatherFactorials) {
  EXPECT_EQ(OutputOf("gather_factorials"), R"(
Task A: Compute factorial(2)...
Task B: Compute factorial(2)...
Task C: Compute factorial(2)...
Task A: factorial(2) = 2
Task B: Compute factorial(3)...
Task C: Compute factorial(3)...
Task B: factorial(3) = 6
Task C: Compute factorial(4)...
Task C: factorial(4) = 24
2 6 24
[3 s]
)");
}

TEST(AsyncioExamplesTest, HelloWorld) {
  EXPECT_EQ(OutputOf("hello_world"), R"(
hello
world
[1 s]
)");
}

TEST(AsyncioExamplesTest, Nested) {
  EXPECT_EQ(OutputOf("nested"), R"(
42
[0 s]
)");
}

TEST(AsyncioExamplesTest, Shield) {
  EXPECT_EQ(OutputOf("shield"), R"(
outer was cancelled after 1 s
inner gave 42 after 3 s
what was shielded was cancelled
[4 s]
)");
}

TEST(AsyncioExamplesTest, Wait) {
  EXPECT_EQ(OutputOf("wait"), R"(
sleeping for 1 second(s)
sleeping for 2 second(s)
sleeping for 3 second(s)
finished sleeping for 1 second(s)
done: 1, pending: 2
finished sleeping for 2 second(s)
done: 2, pending: 1
finished sleeping for 3 second(s)
done: 3, pending: 0
[3 s]
)");
}

TEST(AsyncioExamplesTest, WaitForEternity) {
  EXPECT_EQ(OutputOf("wait_for_eternity"), R"(
timeout!
[1 s]
)");
}

TEST(AsyncioExamplesTest, KindsOfFunctions) {
  EXPECT_EQ(OutputOf("kinds_of_functions"), R"(
1
2
3
4
[0 s]
)");
}

TEST(AsyncioExamplesTest, Func1) {
  EXPECT_EQ(OutputOf("func1"), R"(
coroutine begins 1
coroutine ends 1
[2 s]
)");
}

TEST(AsyncioExamplesTest, TwoGenerators) {
  EXPECT_EQ(OutputOf("two_generators"), R"(
fun_b called
fun_a called
fun_b called
fun_a called
fun_b called
fun_a called
[2 s]
)");
}

TEST(AsyncioExamplesTest, AddOne) {
  EXPECT_EQ(OutputOf("add_one"), R"(
not yet
adding
11
[0 s]
)");
}

TEST(AsyncioExamplesTest, AsyncTimed) {
  EXPECT_EQ(OutputOf("async_timed"), R"(
starting main
starting nap
sleeping for 2 second(s)
starting nap
sleeping for 3 second(s)
finished sleeping for 2 second(s)
finished nap in 2 second(s)
finished sleeping for 3 second(s)
finished nap in 3 second(s)
finished main in 3 second(s)
[3 s]
)");
}

TEST(AsyncioExamplesTest, AwaitAddOne) {
  EXPECT_EQ(OutputOf("await_add_one"), R"(
2
3
[0 s]
)");
}

TEST(AsyncioExamplesTest, BlockingApi) {
  EXPECT_EQ(OutputOf("blocking_api"), R"(
starting main
starting get_example_status
finished get_example_status in 1 second(s)
starting get_example_status
finished get_example_status in 1 second(s)
starting get_example_status
finished get_example_status in 1 second(s)
finished main in 3 second(s)
[3 s]
)");
}

TEST(AsyncioExamplesTest, CallSoon) {
  EXPECT_EQ(OutputOf("call_soon"), R"(
sleeping for 1 second(s)
call later
finished sleeping for 1 second(s)
[1 s]
)");
}

TEST(AsyncioExamplesTest, CancelAfter5s) {
  EXPECT_EQ(OutputOf("cancel_after_5s"), R"(
the task is still running
sleeping for 10 second(s)
the task is still running
the task is still running
the task is still running
the task is still running
the task is still running
the task was cancelled
[6 s]
)");
}

TEST(AsyncioExamplesTest, CpuBound) {
  EXPECT_EQ(OutputOf("cpu_bound"), R"(
starting main
starting cpu_bound_work
finished cpu_bound_work in 3 second(s)
starting cpu_bound_work
finished cpu_bound_work in 3 second(s)
finished main in 6 second(s)
[6 s]
)");
}

TEST(AsyncioExamplesTest, CreateTask) {
  EXPECT_EQ(OutputOf("create_task"), R"(
sleeping for 3 second(s)
finished sleeping for 3 second(s)
3
[3 s]
)");
}

TEST(AsyncioExamplesTest, Future) {
  EXPECT_EQ(OutputOf("future"), R"(
done: false
done: true
result: hello
[0 s]
)");
}

TEST(AsyncioExamplesTest, HelloSleep) {
  EXPECT_EQ(OutputOf("hello_sleep"), R"(
hello world
[1 s]
)");
}

TEST(AsyncioExamplesTest, ManualLoop) {
  EXPECT_EQ(OutputOf("manual_loop"), R"(
[1 s]
)");
}

TEST(AsyncioExamplesTest, MyCoroutine) {
  EXPECT_EQ(OutputOf("my_coroutine"), R"(
hello world
[0 s]
)");
}

TEST(AsyncioExamplesTest, OtherCodeWhileWaiting) {
  EXPECT_EQ(OutputOf("other_code_while_waiting"), R"(
sleeping for 3 second(s)
sleeping for 3 second(s)
I'm running other code while I'm waiting!
I'm running other code while I'm waiting!
finished sleeping for 3 second(s)
finished sleeping for 3 second(s)
[3 s]
)");
}

TEST(AsyncioExamplesTest, SetFutureValue) {
  EXPECT_EQ(OutputOf("set_future_value"), R"(
done: false
done: true
result: hello
[1 s]
)");
}

TEST(AsyncioExamplesTest, ThreeTasks) {
  EXPECT_EQ(OutputOf("three_tasks"), R"(
______________
sleeping for 3 second(s)
sleeping for 3 second(s)
sleeping for 3 second(s)
finished sleeping for 3 second(s)
finished sleeping for 3 second(s)
finished sleeping for 3 second(s)
[3 s]
)");
}

TEST(AsyncioExamplesTest, TwoCoroutinesInTurn) {
  EXPECT_EQ(OutputOf("two_coroutines_in_turn"), R"(
sleeping for 1 second(s)
finished sleeping for 1 second(s)
hello world
2
[1 s]
)");
}

TEST(AsyncioExamplesTest, WaitForShield) {
  EXPECT_EQ(OutputOf("wait_for_shield"), R"(
sleeping for 10 second(s)
timeout
finished sleeping for 10 second(s)
10
[10 s]
)");
}

TEST(AsyncioExamplesTest, WaitForTimeout) {
  EXPECT_EQ(OutputOf("wait_for_timeout"), R"(
sleeping for 10 second(s)
timeout
cancelled: true
[4 s]
)");
}

TEST(AsyncioExamplesTest, RunOnTheMachinesClock) {
  const Ended ended = RunProgram("hello_world --real");
  EXPECT_EQ(ended.code, 0);
  // At least a second, and some nanoseconds.
  EXPECT_THAT(ended.output,
              MatchesRegex("hello\nworld\n\\[[1-9][0-9.]* s\\]\n"));
}

TEST(AsyncioExamplesTest, RefuseOtherArguments) {
  const Ended ended = RunProgram("hello_world --unreal");
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output, EndsWith("hello_world [--real]\n"));
}

}  // namespace
}  // namespace clotho::examples
