// Cancelling the future that `Gather` returned cancels everything it waits for;
// cancelling one of the tasks does not cancel the others.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::CancelledError;
using clotho::Coro;
using clotho::CreateTask;
using clotho::ExceptionClass;
using clotho::Gather;
using clotho::kReturnExceptions;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<int> Work(int seconds) {
  co_await Sleep(absl::Seconds(seconds));
  std::printf("done %d\n", seconds);
  co_return seconds;
}

Coro<void> Main() {
  auto all = Gather(Work(2), Work(3));
  co_await Sleep(absl::Seconds(1));
  all.Cancel();
  try {
    co_await all;
  } catch (const CancelledError&) {
    std::printf("cancelled\n");
  }

  Task<int> two = CreateTask(Work(2));
  Task<int> three = CreateTask(Work(3));
  auto both = Gather(kReturnExceptions, two, three);
  co_await Sleep(absl::Seconds(1));
  two.Cancel();
  auto [first, second] = co_await both;
  std::printf("%s, %d\n", ExceptionClass(first.exception()).c_str(),
              second.value());
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
