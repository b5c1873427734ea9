// `co_await` suspends the coroutine that contains it: the second one does not
// start before the first ends, even if it has nothing to wait for.

#include <cstdio>
#include <string>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

Coro<int> AddOne(int number) { co_return number + 1; }

Coro<std::string> HelloWorld() {
  co_await Nap(1);
  co_return "hello world";
}

Coro<void> Main() {
  const std::string message = co_await HelloWorld();
  const int one_plus_one = co_await AddOne(1);
  std::printf("%s\n%d\n", message.c_str(), one_plus_one);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
