// How long do coroutines take? `Timed` reports when one starts and ends. Python
// uses a decorator for that.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::Task;
using clotho::Timed;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

const auto timed_nap = Timed("nap", Nap);

Coro<void> TwoNaps() {
  Task<int> first = CreateTask(timed_nap(2));
  Task<int> second = CreateTask(timed_nap(3));
  co_await first;
  co_await second;
}

Coro<void> Main() { co_await Timed("main", TwoNaps()); }

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
