// `Gather` runs its coroutines concurrently and returns their results in the
// order of the arguments.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::Gather;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<int> Factorial(const char* name, int number) {
  int factorial = 1;
  for (int i = 2; i <= number; ++i) {
    std::printf("Task %s: Compute factorial(%d)...\n", name, i);
    co_await Sleep(absl::Seconds(1));
    factorial *= i;
  }
  std::printf("Task %s: factorial(%d) = %d\n", name, number, factorial);
  co_return factorial;
}

Coro<void> Main() {
  const auto [a, b, c] =
      co_await Gather(Factorial("A", 2), Factorial("B", 3), Factorial("C", 4));
  std::printf("%d %d %d\n", a, b, c);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
