// The same coroutines on the machine's clock: a program that waits for real.

#include <cstdio>

#include "clotho/runtime/runtime.h"

namespace {

clotho::Coro<int> Main() {
  co_await clotho::Sleep(absl::Milliseconds(10));
  std::printf("hello after %s\n",
              absl::FormatDuration(clotho::GetRunningLoop().Time()).c_str());
  co_return 0;
}

}  // namespace

int main() { return clotho::Run(Main()); }  // The machine's clock.
