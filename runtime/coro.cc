#include "clotho/runtime/coro.h"

#include <string>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"

namespace clotho::internal {
namespace {

// "Client::Flush()" of a frame. A suspended frame begins with the address of
// the function that resumes it.
std::string FunctionOf(CoroPromiseBase& promise) {
  const void* const resume =
      *static_cast<const void* const*>(promise.handle().address());
  char name[512];
  if (!absl::Symbolize(resume, name, sizeof(name))) return "a coroutine";
  std::string text = name;
  for (const char* const suffix : {" [clone .resume]", " (.resume)", ".resume",
                                   " [clone .actor]", " (.actor)", ".actor"}) {
    const std::size_t at = text.find(suffix);
    if (at != std::string::npos) text.resize(at);
  }
  return text;
}

}  // namespace

void ThrowReused() {
  throw RuntimeError(
      "cannot reuse already awaited coroutine: call its function again for a "
      "new one, or make it a task with CreateTask, which any number can await");
}

void ReportNeverAwaited(CoroPromiseBase& promise) noexcept {
  EventLoop* const loop = running_loop;
  if (loop != nullptr && loop->tearing_down()) return;
  const ExceptionContext context{
      .source = ExceptionContext::Source::kNeverAwaited,
      .message = absl::StrCat("coroutine ", FunctionOf(promise),
                              " was never awaited")};
  ReportFromDestructor(loop, context);
}

}  // namespace clotho::internal
