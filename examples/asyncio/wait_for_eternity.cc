// `WaitFor` cancels what takes too long, and throws TimeoutError.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::Sleep;
using clotho::TimeoutError;
using clotho::WaitFor;
using clotho::examples::RunExample;

namespace {

Coro<void> Eternity() {
  co_await Sleep(absl::Hours(1));
  std::printf("yay!\n");
}

Coro<void> Main() {
  try {
    co_await WaitFor(Eternity(), absl::Seconds(1));
  } catch (const TimeoutError&) {
    std::printf("timeout!\n");
  }
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
