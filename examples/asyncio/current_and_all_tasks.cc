// The running task, and the tasks that are not done yet. Tasks without a given
// name are numbered.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::AllTasks;
using clotho::AnyTask;
using clotho::Coro;
using clotho::CreateTask;
using clotho::CurrentTask;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

void Print() {
  std::printf("%s sees", CurrentTask()->GetName().c_str());
  for (const AnyTask& task : AllTasks()) {
    std::printf(" %s", task.GetName().c_str());
  }
  std::printf("\n");
}

Coro<void> Nested() {
  Print();
  co_return;
}

Coro<void> Main() {
  Print();
  Task<void> task = CreateTask(Nested());
  Print();
  co_await task;
  Print();
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
