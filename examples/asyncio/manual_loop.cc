// A loop that is created explicitly. `Run` does the same, and also cancels the
// remaining tasks: use this only if you need the loop itself.

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::EventLoop;
using clotho::Sleep;
using clotho::examples::ClockFor;
using clotho::examples::SayHowLong;

namespace {

Coro<void> Main() { co_await Sleep(absl::Seconds(1)); }

}  // namespace

int main(int argc, char** argv) {
  EventLoop loop({.clock = ClockFor(argc, argv)});
  loop.RunUntilComplete(Main());
  SayHowLong(loop);
  loop.Close();  // The destructor would also do it.
}
