// A shielded task survives the cancellation of the task that awaits it. It can
// still be cancelled directly.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::CancelledError;
using clotho::Coro;
using clotho::CreateTask;
using clotho::Future;
using clotho::GetRunningLoop;
using clotho::Shield;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<int> Work() {
  co_await Sleep(absl::Seconds(3));
  co_return 42;
}

Coro<void> Outer(Task<int> inner) {
  const int result = co_await Shield(inner);
  std::printf("never printed: %d\n", result);
}

double Seconds() { return absl::ToDoubleSeconds(GetRunningLoop().Time()); }

Coro<void> Main() {
  Task<int> inner = CreateTask(Work());
  Task<void> outer = CreateTask(Outer(inner));
  co_await Sleep(absl::Seconds(1));
  outer.Cancel();
  try {
    co_await outer;
  } catch (const CancelledError&) {
    std::printf("outer was cancelled after %.0f s\n", Seconds());
  }
  const int result = co_await inner;
  std::printf("inner gave %d after %.0f s\n", result, Seconds());

  Task<int> work = CreateTask(Work());
  Future<int> shield = Shield(work);
  co_await Sleep(absl::Seconds(1));
  work.Cancel();
  try {
    co_await shield;
  } catch (const CancelledError&) {
    std::printf("what was shielded was cancelled\n");
  }
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
