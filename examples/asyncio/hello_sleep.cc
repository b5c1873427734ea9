// A message after a second, from a coroutine that waits for it.

#include <cstdio>
#include <string>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<std::string> HelloWorld() {
  co_await Sleep(absl::Seconds(1));
  co_return "hello world";
}

Coro<void> Main() {
  const std::string message = co_await HelloWorld();
  std::printf("%s\n", message.c_str());
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
