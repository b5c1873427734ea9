// The first exception leaves `Gather` at once, and the others keep running.
// With `kReturnExceptions` a failure is an ordinary result: an `Outcome`.

#include <cstdio>
#include <stdexcept>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::DescribeException;
using clotho::Gather;
using clotho::GetRunningLoop;
using clotho::kReturnExceptions;
using clotho::Sleep;
using clotho::examples::RunExample;

namespace {

Coro<int> Work(int seconds, bool is_bad) {
  co_await Sleep(absl::Seconds(seconds));
  if (is_bad) throw std::runtime_error("bad");
  std::printf("done %d\n", seconds);
  co_return seconds;
}

Coro<void> Main() {
  try {
    co_await Gather(Work(2, false), Work(1, true), Work(3, false));
  } catch (const std::runtime_error& error) {
    std::printf("raised after %.0f s: %s\n",
                absl::ToDoubleSeconds(GetRunningLoop().Time()), error.what());
  }
  co_await Sleep(absl::Seconds(5));

  auto [good, bad] =
      co_await Gather(kReturnExceptions, Work(2, false), Work(1, true));
  std::printf("%d, %s\n", good.value(),
              DescribeException(bad.exception()).c_str());
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
