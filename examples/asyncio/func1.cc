// A coroutine starts, sleeps for two seconds, and ends.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<void> Func1(int number) {
  std::printf("coroutine begins %d\n", number);
  co_await Sleep(absl::Seconds(2));
  std::printf("coroutine ends %d\n", number);
}

Coro<void> Main() { co_await Func1(1); }

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
