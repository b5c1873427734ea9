// One task waits for a future, and another one sets it.

#include <cstdio>
#include <string>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Future;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<void> SetFutureValue(Future<std::string> future) {
  co_await Sleep(absl::Seconds(1));
  future.SetResult("hello");
}

Coro<void> Main() {
  Future<std::string> future;
  Task<void> setter = CreateTask(SetFutureValue(future));
  std::printf("done: %s\n", future.Done() ? "true" : "false");
  const std::string result = co_await future;
  std::printf("done: %s\n", future.Done() ? "true" : "false");
  std::printf("result: %s\n", result.c_str());
  co_await setter;
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
