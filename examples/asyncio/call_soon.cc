// A callback that the loop calls in its next iteration.

#include <cstdio>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::GetRunningLoop;
using clotho::examples::Nap;
using clotho::examples::RunExample;

namespace {

void CallLater() { std::printf("call later\n"); }

Coro<void> Main() {
  GetRunningLoop().CallSoon(CallLater);
  co_await Nap(1);
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
