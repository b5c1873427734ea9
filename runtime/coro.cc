#include "clotho/runtime/coro.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"

namespace clotho::internal {
namespace {

// The function at a code address, as "Client::Flush()"; empty if unknown.
std::string FunctionAt(const void* address) {
  char name[512];
  if (!absl::Symbolize(address, name, sizeof(name))) return "";
  std::string text = name;
  for (const char* const suffix : {" [clone .resume]", " (.resume)", ".resume",
                                   " [clone .actor]", " (.actor)", ".actor"}) {
    const std::size_t at = text.find(suffix);
    if (at != std::string::npos) text.resize(at);
  }
  // Names the function as source code does, without "(anonymous namespace)::".
  static constexpr std::string_view kUnnamed = "(anonymous namespace)::";
  for (std::size_t at; (at = text.find(kUnnamed)) != text.npos;) {
    text.erase(at, kUnnamed.size());
  }
  return text;
}

// The function of a coroutine. A suspended frame starts with the address of the
// function that resumes it.
std::string FunctionOf(CoroPromiseBase& promise) {
  const std::string name =
      FunctionAt(*static_cast<const void* const*>(promise.handle().address()));
  return name.empty() ? "a coroutine" : name;
}

// "; it was called in Client::Close()"; empty if unknown.
std::string CallOf(CoroPromiseBase& promise) {
  std::string name = FunctionAt(promise.made_at());
  if (name.empty() || name == FunctionOf(promise)) {
    // The call precedes the address to which it returns.
    name = FunctionAt(static_cast<const char*>(promise.returns_to()) - 1);
  }
  // A caller inside the runtime would tell a reader nothing.
  if (name.empty() || name.find("clotho::internal::") != name.npos) return "";
  return absl::StrCat("; it was called in ", name);
}

}  // namespace

void ThrowReused() {
  throw RuntimeError(
      "cannot reuse already awaited coroutine: call its function again for a "
      "new one, or make it a task with CreateTask, which any number can await");
}

void ReportNeverAwaited(CoroPromiseBase& promise) noexcept {
  CLOTHO_DCHECK(!promise.started(), "only an unstarted coroutine is reported");
  EventLoop* const loop = running_loop;
  if (loop != nullptr && CoreOf(*loop).tearing_down()) return;
  const ExceptionContext context{
      .source = ExceptionContext::Source::kNeverAwaited,
      .message = absl::StrCat("coroutine ", FunctionOf(promise),
                              " was never awaited", CallOf(promise))};
  ReportFromDestructor(loop, context);
}

}  // namespace clotho::internal
