// A user-defined class can be awaited: its `Await` returns what is awaited
// instead. Python calls that `__await__`. This one starts a task each time.

#include <cstdio>
#include <string>

#include "absl/time/time.h"
#include "clotho/examples/asyncio/example.h"
#include "clotho/runtime/runtime.h"

using clotho::Coro;
using clotho::CreateTask;
using clotho::CurrentTask;
using clotho::Sleep;
using clotho::Task;
using clotho::examples::RunExample;

namespace {

Coro<std::string> GetInfo() {
  std::printf("in %s\n", CurrentTask()->GetName().c_str());
  co_await Sleep(absl::Seconds(1));
  co_return "name: kk, address: ll";
}

class Info {
 public:
  Task<std::string> Await() { return CreateTask(GetInfo()); }
};

Coro<void> Main() {
  const std::string info = co_await Info();
  std::printf("%s\n", info.c_str());
}

}  // namespace

int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
