// The C++ of asyncio.md, compiled and run. What the page shows stands here word
// for word (//tools/docs:asyncio_test); what follows it says what came of it.

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using testing::ElementsAre;

// What the snippets tell.
std::vector<std::string>& Log() {
  static std::vector<std::string>* const log = new std::vector<std::string>();
  return *log;
}
void Print(std::string text) { Log().push_back(std::move(text)); }

std::vector<std::string> TakeLog() { return std::exchange(Log(), {}); }

absl::Duration Now() { return GetRunningLoop().Time(); }

Coro<std::string> Fetch(std::string name) {
  co_await Sleep(absl::Seconds(1));
  co_return absl::AsciiStrToUpper(name);
}

Coro<std::string> Twice(std::string name) {
  const std::string text = co_await Fetch(name);
  co_return text + text;
}

Coro<std::string> Later(std::string name) {
  co_await Sleep(absl::Seconds(2));
  co_return name;
}

Coro<std::string> Fail() {
  co_await Sleep(absl::Seconds(1));
  throw std::runtime_error("no such name");
}

Coro<int> Main() {
  co_await Sleep(absl::ZeroDuration());
  co_return 0;
}

CLOTHO_TEST(AsyncioSnippets, Coroutines) {
  Coro<std::string> coroutine = Twice("a");  // Nothing runs yet.
  const std::string text = co_await std::move(coroutine);
  EXPECT_EQ(text, "AA");
  EXPECT_EQ(Now(), absl::Seconds(1));
}

class Page {
 public:
  explicit Page(std::string name) : name_(std::move(name)) {}
  Coro<std::string> Await() { return Fetch(name_); }

 private:
  std::string name_;
};

CLOTHO_TEST(AsyncioSnippets, Awaitables) {
  const std::string text = co_await Page("a");
  EXPECT_EQ(text, "A");
}

TEST(AsyncioSnippets, Runners) {
  const int status = clotho::Run(Main());

  Runner runner;
  runner.Run(Main());
  runner.Run(Main());  // In the same loop and the same context.
  EXPECT_EQ(status, 0);
}

CLOTHO_TEST(AsyncioSnippets, Tasks) {
  Task<std::string> task = CreateTask(Fetch("a"), {.name = "fetch a"});
  const std::string text = co_await task;
  Print(task.GetName() + ": " + task.Result());
  EXPECT_EQ(text, "A");
  EXPECT_THAT(TakeLog(), ElementsAre("fetch a: A"));
}

CLOTHO_TEST(AsyncioSnippets, TasksOfLambdas) {
  std::string prefix = "got ";
  Task<std::string> task = CreateTask([prefix]() -> Coro<std::string> {
    const std::string text = co_await Fetch("a");
    co_return prefix + text;
  });
  const std::string text = co_await task;
  EXPECT_EQ(text, "got A");
}

CLOTHO_TEST(AsyncioSnippets, GatherStructured) {
  auto [a, b] = co_await GatherStructured(Fetch("a"), Fetch("b"));
  EXPECT_EQ(a + b, "AB");
  EXPECT_EQ(Now(), absl::Seconds(1));
}

CLOTHO_TEST(AsyncioSnippets, GatherWindowed) {
  const std::vector<std::string> names = {"a", "b", "c"};
  const std::vector<std::string> all = co_await GatherWindowed(names, Fetch, 2);
  EXPECT_THAT(all, ElementsAre("A", "B", "C"));
  EXPECT_EQ(Now(), absl::Seconds(2));
}

CLOTHO_TEST(AsyncioSnippets, Race) {
  auto [index, text] = co_await Race(Fetch("a"), Later("b"));
  EXPECT_EQ(index, 0u);
  EXPECT_EQ(text, "A");
}

CLOTHO_TEST(AsyncioSnippets, Gather) {
  auto [a, b] = co_await Gather(Fetch("a"), Fetch("b"));
  EXPECT_EQ(a + b, "AB");
  EXPECT_EQ(Now(), absl::Seconds(1));
}

CLOTHO_TEST(AsyncioSnippets, GatherOfARange) {
  std::vector<Coro<std::string>> coroutines;
  for (const char* name : {"a", "b", "c"}) coroutines.push_back(Fetch(name));
  const std::vector<std::string> all = co_await Gather(std::move(coroutines));
  EXPECT_THAT(all, ElementsAre("A", "B", "C"));
}

CLOTHO_TEST(AsyncioSnippets, GatherOfFailures) {
  auto [good, bad] = co_await Gather(kReturnExceptions, Fetch("a"), Fail());
  if (good.ok()) Print(good.value());
  if (!bad.ok()) Print(DescribeException(bad.exception()));
  EXPECT_THAT(TakeLog(), ElementsAre("A", "runtime_error: no such name"));
}

CLOTHO_TEST(AsyncioSnippets, Catch) {
  const Outcome<std::string> outcome = co_await Catch(Fail());
  if (!outcome.ok()) Print(DescribeException(outcome.exception()));
  EXPECT_THAT(TakeLog(), ElementsAre("runtime_error: no such name"));
}

CLOTHO_TEST(AsyncioSnippets, Wait) {
  std::vector<Task<std::string>> tasks;
  for (const char* name : {"a", "b"}) tasks.push_back(CreateTask(Fetch(name)));
  auto [done, pending] =
      co_await Wait(tasks, {.timeout = absl::Seconds(5),
                            .return_when = ReturnWhen::kFirstCompleted});
  for (const Task<std::string>& task : done) Print(task.Result());
  EXPECT_THAT(TakeLog(), ElementsAre("A", "B"));
  EXPECT_TRUE(pending.empty());
}

CLOTHO_TEST(AsyncioSnippets, AsCompleted) {
  std::vector<Task<std::string>> tasks;
  for (const char* name : {"a", "b"}) tasks.push_back(CreateTask(Fetch(name)));
  for (auto next : AsCompleted(tasks)) {
    const std::string text = co_await next;
    Print(text);
  }
  EXPECT_THAT(TakeLog(), ElementsAre("A", "B"));
}

CLOTHO_TEST(AsyncioSnippets, AsCompletedGivesTheTasks) {
  std::vector<Task<std::string>> tasks;
  for (const char* name : {"a", "b"}) tasks.push_back(CreateTask(Fetch(name)));
  auto completed = AsCompleted(tasks);
  while (auto task = co_await completed.Next()) {
    Print(task->Result());
  }
  EXPECT_THAT(TakeLog(), ElementsAre("A", "B"));
}

CLOTHO_TEST(AsyncioSnippets, WaitFor) {
  std::string text;
  try {
    text = co_await WaitFor(Fetch("a"), absl::Milliseconds(500));
  } catch (const TimeoutError&) {
    text = "too late";
  }
  EXPECT_EQ(text, "too late");
  EXPECT_EQ(Now(), absl::Milliseconds(500));
}

CLOTHO_TEST(AsyncioSnippets, Timeout) {
  std::string text;
  auto body = [&](TimeoutScope& scope) -> Coro<void> {
    text = co_await Fetch("a");
    scope.Reschedule(GetRunningLoop().Time() + absl::Seconds(2));
    text += co_await Fetch("b");
  };
  co_await Timeout(absl::Milliseconds(1500), body);
  EXPECT_EQ(text, "AB");
}

CLOTHO_TEST(AsyncioSnippets, Shield) {
  Task<std::string> task = CreateTask(Fetch("a"));
  try {
    co_await WaitFor(Shield(task), absl::Milliseconds(500));
  } catch (const TimeoutError&) {
    Print("still waiting");
  }
  const std::string text = co_await task;
  EXPECT_THAT(TakeLog(), ElementsAre("still waiting"));
  EXPECT_EQ(text, "A");
}

CLOTHO_TEST(AsyncioSnippets, TaskGroup) {
  TaskGroup group;
  auto body = [&]() -> Coro<std::vector<Task<std::string>>> {
    std::vector<Task<std::string>> tasks;
    tasks.push_back(group.CreateTask(Fetch("a")));
    tasks.push_back(group.CreateTask(Fetch("b")));
    co_return tasks;
  };
  const auto tasks = co_await group.Run(body);  // Both are done now.
  for (const Task<std::string>& task : tasks) Print(task.Result());
  EXPECT_THAT(TakeLog(), ElementsAre("A", "B"));
}

CLOTHO_TEST(AsyncioSnippets, TaskGroupCancel) {
  TaskGroup group;
  auto body = [&]() -> Coro<void> {
    group.CreateTask(Fetch("a"));
    co_await Sleep(absl::Milliseconds(500));
    group.Cancel();
  };
  co_await group.Run(body);
  EXPECT_EQ(Now(), absl::Milliseconds(500));
}

CLOTHO_TEST(AsyncioSnippets, TaskGroupThatFails) {
  TaskGroup group;
  auto body = [&]() -> Coro<void> {
    group.CreateTask(Fail());
    co_await Sleep(absl::Hours(1));  // Is cancelled when that fails.
  };
  try {
    co_await group.Run(body);
  } catch (const ExceptionGroup& errors) {
    for (const std::exception_ptr& error : errors.exceptions()) {
      Print(DescribeException(error));
    }
  }
  EXPECT_THAT(TakeLog(), ElementsAre("runtime_error: no such name"));
  EXPECT_EQ(Now(), absl::Seconds(1));
}

CLOTHO_TEST(AsyncioSnippets, Cancel) {
  Task<std::string> task = CreateTask(Fetch("a"));
  co_await Sleep(absl::Milliseconds(500));
  task.Cancel("not needed any more");
  try {
    co_await task;
  } catch (const CancelledError& error) {
    Print(*error.message());
  }
  EXPECT_THAT(TakeLog(), ElementsAre("not needed any more"));
  EXPECT_TRUE(task.Cancelled());
}

Coro<void> Worker() {
  std::exception_ptr error;
  try {
    co_await Sleep(absl::Hours(1));
  } catch (...) {
    error = std::current_exception();
  }
  co_await Fetch("the last words");  // Not in the handler: C++ forbids it.
  if (error != nullptr) std::rethrow_exception(error);
}

CLOTHO_TEST(AsyncioSnippets, CleanupThatWaits) {
  Task<void> task = CreateTask(Worker());
  co_await Sleep(absl::Seconds(1));
  task.Cancel();
  co_await Wait(std::vector<Task<void>>{task});
  EXPECT_TRUE(task.Cancelled());
  EXPECT_EQ(Now(), absl::Seconds(2));
}

CLOTHO_TEST(AsyncioSnippets, Lock) {
  Lock lock;
  {
    auto guard = co_await lock.Acquire();
    Print("mine");
  }  // Released, whatever happens in between.
  EXPECT_FALSE(lock.Locked());
  EXPECT_THAT(TakeLog(), ElementsAre("mine"));
}

CLOTHO_TEST(AsyncioSnippets, Event) {
  Event ready;
  GetRunningLoop().CallLater(absl::Seconds(1), [&ready] { ready.Set(); });
  co_await ready.Wait();
  EXPECT_EQ(Now(), absl::Seconds(1));
}

CLOTHO_TEST(AsyncioSnippets, Condition) {
  Condition changed;
  std::vector<int> jobs;
  auto take = [&]() -> Coro<int> {
    auto guard = co_await changed.Acquire();
    co_await changed.WaitFor([&] { return !jobs.empty(); });
    const int job = jobs.back();
    jobs.pop_back();
    co_return job;
  };
  Task<int> taker = CreateTask(take);
  co_await Sleep(absl::ZeroDuration());
  {
    auto guard = co_await changed.Acquire();
    jobs.push_back(1);
    changed.Notify();
  }
  const int job = co_await taker;
  EXPECT_EQ(job, 1);
}

CLOTHO_TEST(AsyncioSnippets, Semaphore) {
  Semaphore connections(2);
  auto work = [&]() -> Coro<void> {
    auto guard = co_await connections.Acquire();  // Two at a time.
    co_await Fetch("a");
  };
  co_await Gather(CreateTask(work), CreateTask(work), CreateTask(work));
  EXPECT_EQ(Now(), absl::Seconds(2));
}

CLOTHO_TEST(AsyncioSnippets, Barrier) {
  Barrier start(2);
  auto [first, second] = co_await Gather(start.Wait(), start.Wait());
  EXPECT_EQ(first + second, 1u);
}

CLOTHO_TEST(AsyncioSnippets, Queue) {
  Queue<std::string> queue(10);
  auto worker = [&]() -> Coro<void> {
    try {
      while (true) {
        const std::string name = co_await queue.Get();
        Print(name);
        queue.TaskDone();
      }
    } catch (const QueueShutDown&) {
      Print("no more");
    }
  };
  Task<void> task = CreateTask(worker);
  co_await queue.Put("a");
  co_await queue.Put("b");
  co_await queue.Join();  // Until both have been dealt with.
  queue.Shutdown();       // QueueShutDown comes out of Get.
  co_await task;
  EXPECT_THAT(TakeLog(), ElementsAre("a", "b", "no more"));
}

CLOTHO_TEST(AsyncioSnippets, Future) {
  EventLoop& loop = GetRunningLoop();
  Future<std::string> future = loop.CreateFuture<std::string>();
  future.AddDoneCallback(
      [](Future<std::string> done) { Print("done: " + done.Result()); });
  TimerHandle handle =
      loop.CallLater(absl::Seconds(1), [future] { future.SetResult("hello"); });
  const std::string text = co_await future;
  EXPECT_EQ(text, "hello");
  EXPECT_THAT(TakeLog(), ElementsAre("done: hello"));
  EXPECT_EQ(handle.When(), absl::Seconds(1));
}

AsyncGenerator<std::string> Pages(std::vector<std::string> names) {
  for (const std::string& name : names) {
    std::string page = co_await Fetch(name);
    co_yield page;
  }
}

CLOTHO_TEST(AsyncioSnippets, AsyncGenerator) {
  AsyncGenerator<std::string> pages = Pages({"a", "b"});
  while (auto page = co_await pages.Next()) {
    Print(*page);
  }
  EXPECT_THAT(TakeLog(), ElementsAre("A", "B"));
}

Generator<int> Evens(int count) {
  for (int i = 0; i < count; ++i) co_yield 2 * i;
}

TEST(AsyncioSnippets, Generator) {
  int total = 0;
  for (int even : Evens(4)) total += even;
  EXPECT_EQ(total, 12);
}

const ContextVar<std::string> user("user", "nobody");

Coro<void> Greet() {
  Print("hello " + user.Get());
  co_return;
}

CLOTHO_TEST(AsyncioSnippets, ContextVariables) {
  user.Set("ann");
  Task<void> task = CreateTask(Greet());  // Runs in a copy of the context.
  user.Set("bob");
  co_await task;
  EXPECT_THAT(TakeLog(), ElementsAre("hello ann"));
}

std::string Read(std::string name) {
  BlockingSleep(absl::Seconds(1));  // Stands for a call that blocks.
  return absl::AsciiStrToUpper(name);
}

CLOTHO_TEST(AsyncioSnippets, Threads) {
  auto [a, b] = co_await Gather(ToThread(Read, "a"), ToThread(Read, "b"));
  EXPECT_EQ(a + b, "AB");
  EXPECT_EQ(Now(), absl::Seconds(1));
}

CLOTHO_TEST(AsyncioSnippets, Executors) {
  ThreadPoolExecutor pool({.max_workers = 1});
  EventLoop& loop = GetRunningLoop();
  Future<std::string> a = loop.RunInExecutor(&pool, [] { return Read("a"); });
  Future<std::string> b = loop.RunInExecutor(&pool, [] { return Read("b"); });
  auto [first, second] = co_await Gather(a, b);  // One after the other.
  EXPECT_EQ(first + second, "AB");
  EXPECT_EQ(Now(), absl::Seconds(2));
}

CLOTHO_TEST(AsyncioSnippets, OtherThreads) {
  EventLoop& loop = GetRunningLoop();
  Event ready;
  auto work = [&loop, &ready] {
    loop.CallSoonThreadsafe([&ready] { ready.Set(); });
  };
  co_await ToThread(work);
  co_await ready.Wait();
  EXPECT_TRUE(ready.IsSet());
}

Coro<int> Cached() { co_return 1; }

CLOTHO_TEST(AsyncioSnippets, EagerTasks) {
  GetRunningLoop().SetTaskFactory(EagerTaskFactory);
  Task<int> task = CreateTask(Cached());
  Print(task.Done() ? "done at once" : "not yet");
  const int value = co_await task;
  EXPECT_EQ(value, 1);
  EXPECT_THAT(TakeLog(), ElementsAre("done at once"));
}

CLOTHO_TEST(AsyncioSnippets, Introspection) {
  Task<std::string> task = CreateTask(Fetch("a"), {.name = "fetch a"});
  co_await Sleep(absl::ZeroDuration());
  for (const AnyTask& each : AllTasks()) Print(each.GetName());
  Print(CurrentTask()->GetName());
  task.PrintStack();  // Where it waits.
  EXPECT_THAT(TakeLog(), ElementsAre("main", "fetch a", "main"));
  co_await task;
}

static_assert(IsCoroutineFunction<decltype(Fetch)>);
static_assert(IsAsyncGeneratorFunction<decltype(Pages)>);
static_assert(Awaitable<Task<int>>);
static_assert(IsFuture<Task<int>>);

CLOTHO_TEST(AsyncioSnippets, ExceptionHandler) {
  EventLoop& loop = GetRunningLoop();
  loop.SetExceptionHandler([](EventLoop&, const ExceptionContext& context) {
    Print(DescribeException(context.exception));
  });
  loop.CallSoon([] { throw std::runtime_error("in a callback"); });
  co_await Sleep(absl::ZeroDuration());
  loop.SetExceptionHandler(nullptr);
  EXPECT_THAT(TakeLog(), ElementsAre("runtime_error: in a callback"));
}

TEST(AsyncioSnippets, DebugMode) {
  const int status = clotho::Run(Main(), {.debug = true});
  EXPECT_EQ(status, 0);
}

CLOTHO_TEST(FetchTest, TakesASecond) {
  const std::string text = co_await Fetch("a");
  EXPECT_EQ(text, "A");
  EXPECT_EQ(GetRunningLoop().Time(), absl::Seconds(1));  // Exact.
}

CLOTHO_TEST(FetchTest, IsRightInAnyOrder, sim::Random{.schedules = 1'000}) {
  auto [a, b] = co_await Gather(Fetch("a"), Fetch("b"));
  EXPECT_EQ(a + b, "AB");
}

// A cancellation is no error.
static_assert(!std::is_base_of_v<std::exception, CancelledError>);

}  // namespace
}  // namespace clotho
