// A coroutine that awaits nothing still needs a loop to run it.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  std::printf("hello world\n");
  co_return;
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
