// Callbacks run in the order in which they were scheduled, or at their time.
// Each has a handle for cancelling it.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::EventLoop;
using clotho::GetRunningLoop;
using clotho::Handle;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  EventLoop& loop = GetRunningLoop();
  const auto say = [](const char* text) {
    return [text] { std::printf("%s\n", text); };
  };
  loop.CallSoon(say("soon 1"));
  Handle handle = loop.CallSoon(say("soon 2"));
  loop.CallSoon(say("soon 3"));
  handle.Cancel();
  loop.CallLater(absl::Seconds(2), say("later"));
  loop.CallAt(loop.Time() + absl::Seconds(1), say("at"));
  co_await Sleep(absl::Seconds(3));
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
