// Two functions take turns: one is a generator, which stops at each `co_yield`
// until its next value is requested. This needs no task.

#include <cstdio>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::BlockingSleep;
using clotho::Coro;
using clotho::Generator;
using clotho::examples::RunExample;

namespace {

Generator<int> FunA() {
  for (int round = 0;; ++round) {
    std::printf("fun_a called\n");
    co_yield round;
    BlockingSleep(absl::Seconds(1));
  }
}

void FunB(Generator<int>& a) {
  std::printf("fun_b called\n");
  a.Next();
}

Coro<void> Main() {
  Generator<int> a = FunA();
  for (int i = 0; i < 3; ++i) FunB(a);
  co_return;
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
