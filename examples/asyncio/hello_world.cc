// The smallest program: hello, a second, world.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  std::printf("hello\n");
  co_await Sleep(absl::Seconds(1));
  std::printf("world\n");
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
