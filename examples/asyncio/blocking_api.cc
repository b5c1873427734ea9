// Three requests of 1 s each through a blocking library take 3 s, although each
// has a task: such calls belong in threads, using ToThread.

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::BlockingSleep;
using clotho::Coro;
using clotho::CreateTask;
using clotho::Task;
using clotho::Timed;
using clotho::examples::RunExample;

namespace {

// Stands for a library without support for tasks.
int GetStatus() {
  BlockingSleep(absl::Seconds(1));
  return 200;
}

Coro<int> GetExampleStatus() { co_return GetStatus(); }

const auto get_status = Timed("get_example_status", GetExampleStatus);

Coro<void> ThreeRequests() {
  Task<int> first = CreateTask(get_status());
  Task<int> second = CreateTask(get_status());
  Task<int> third = CreateTask(get_status());
  co_await first;
  co_await second;
  co_await third;
}

Coro<void> Main() { co_await Timed("main", ThreeRequests()); }

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
