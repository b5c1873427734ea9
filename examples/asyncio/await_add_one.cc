// A coroutine awaits two others, one after the other.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::examples::RunExample;

namespace {

Coro<int> AddOne(int number) { co_return number + 1; }

Coro<void> Main() {
  const int one_plus_one = co_await AddOne(1);
  const int two_plus_one = co_await AddOne(2);
  std::printf("%d\n%d\n", one_plus_one, two_plus_one);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
