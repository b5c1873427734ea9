// Calling a coroutine function runs nothing: it returns a coroutine. Awaiting
// the coroutine runs it and returns its result.

#include <cstdio>
#include <utility>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::examples::RunExample;

namespace {

Coro<int> AddOne(int number) {
  std::printf("adding\n");
  co_return number + 1;
}

Coro<void> Main() {
  Coro<int> coroutine = AddOne(10);
  std::printf("not yet\n");
  const int result = co_await std::move(coroutine);  // It can be awaited once.
  std::printf("%d\n", result);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
