// Four kinds of functions, distinguished by their return types: an ordinary
// one, a generator, a coroutine function, and an asynchronous generator.

#include <cstdio>
#include <optional>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::AsyncGenerator;
using clotho::Coro;
using clotho::Generator;
using clotho::IsAsyncGeneratorFunction;
using clotho::IsCoroutineFunction;
using clotho::IsGeneratorFunction;
using clotho::examples::RunExample;

namespace {

int Function() { return 1; }

Generator<int> MakeGenerator() { co_yield 2; }

Coro<int> AsyncFunction() { co_return 3; }

AsyncGenerator<int> MakeAsyncGenerator() { co_yield 4; }

// Python uses the module inspect at run time; here the compiler knows.
static_assert(!IsCoroutineFunction<decltype(Function)>);
static_assert(IsGeneratorFunction<decltype(MakeGenerator)>);
static_assert(IsCoroutineFunction<decltype(AsyncFunction)>);
static_assert(IsAsyncGeneratorFunction<decltype(MakeAsyncGenerator)>);

Coro<void> Main() {
  std::printf("%d\n", Function());
  for (int value : MakeGenerator()) std::printf("%d\n", value);
  const int result = co_await AsyncFunction();
  std::printf("%d\n", result);
  AsyncGenerator<int> generator = MakeAsyncGenerator();
  while (std::optional<int> value = co_await generator.Next()) {
    std::printf("%d\n", *value);
  }
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
