// `Wait` reports which tasks are done and which are pending, after the first
// one is done, after a timeout, or when all are done. It cancels nothing, and
// never throws TimeoutError.

#include <cstdio>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::ReturnWhen;
using clotho::Task;
using clotho::Wait;
using clotho::WaitResult;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

void Print(const WaitResult<Task<int>>& result) {
  std::printf("done: %zu, pending: %zu\n", result.done.size(),
              result.pending.size());
}

Coro<void> Main() {
  std::vector<Task<int>> tasks;
  for (int i = 1; i <= 3; ++i) tasks.push_back(CreateTask(Nap(i)));

  WaitResult<Task<int>> result =
      co_await Wait(tasks, {.return_when = ReturnWhen::kFirstCompleted});
  Print(result);
  result = co_await Wait(tasks, {.timeout = absl::Milliseconds(1500)});
  Print(result);
  result = co_await Wait(tasks);
  Print(result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
