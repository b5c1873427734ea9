// A future before and after it has a result.

#include <cstdio>
#include <string>

#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::Future;
using clotho::examples::RunExample;

namespace {

Coro<void> Main() {
  Future<std::string> future;  // Pending, on the running loop.
  std::printf("done: %s\n", future.Done() ? "true" : "false");
  future.SetResult("hello");
  std::printf("done: %s\n", future.Done() ? "true" : "false");
  std::printf("result: %s\n", future.Result().c_str());
  co_return;
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
