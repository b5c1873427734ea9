#include "clotho/runtime/async_generator.h"

#include <exception>
#include <utility>
#include <vector>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/outcome.h"
#include "clotho/runtime/task.h"

namespace clotho {
namespace internal {
namespace {

template <typename E>
bool Is(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

Coro<void> Close(Ref<AsyncGeneratorState> generator) {
  co_await AsyncGeneratorClose(std::move(generator));
}

}  // namespace

AsyncGeneratorPromiseBase::~AsyncGeneratorPromiseBase() {
  if (state_ != nullptr) state_->FrameIsGone();
}

void AsyncGeneratorState::Destroy() noexcept {
  if (frame_ != nullptr) frame_->handle().destroy();
}

// Checks in CPython's order: section AG of the rules.
bool AsyncGeneratorState::Begin(Method method, bool sends_value,
                                std::exception_ptr exception) {
  if (!registered_) {
    registered_ = true;
    CoreOf(GetRunningLoop()).AdoptAsyncGenerator(*this);
  }
  const bool is_next = method == Method::kSend || method == Method::kIterate;
  if (!is_next && finished()) return false;
  if (running_) {
    throw RuntimeError(
        method == Method::kClose
            ? "aclose(): asynchronous generator is already running"
        : method == Method::kThrow
            ? "athrow(): asynchronous generator is already running"
            : "anext(): asynchronous generator is already running");
  }
  if (is_next) {
    if (finished()) {
      if (method == Method::kIterate) return false;
      throw StopAsyncIteration();
    }
    if (!begun_ && sends_value) {
      throw TypeError(
          "can't send a value to a just-started async generator: it stands at "
          "no co_yield yet");
    }
  } else {
    if (closed_) throw StopAsyncIteration();
    if (method == Method::kClose) {
      closed_ = true;
      exception = std::make_exception_ptr(GeneratorExit());
    }
    if (!begun_) {  // It ends without having started (AG-02).
      Destroy();
      if (method == Method::kClose) return false;
      if (Is<GeneratorExit>(exception) || Is<StopAsyncIteration>(exception)) {
        closed_ = true;
      }
      std::rethrow_exception(exception);
    }
    frame_->thrown_in_.Set(std::move(exception));
  }
  begun_ = running_ = true;
  frame_->yielded_ = false;
  return true;
}

bool AsyncGeneratorState::End(Method method) {
  running_ = false;
  if (frame_->yielded_) {
    if (method == Method::kClose) {
      throw RuntimeError("async generator ignored GeneratorExit");
    }
    return true;
  }
  std::exception_ptr error = frame_->TakeError();
  Destroy();
  if (error == nullptr) {
    closed_ = true;
    if (method == Method::kClose || method == Method::kIterate) return false;
    throw StopAsyncIteration();
  }
  if (Is<StopAsyncIteration>(error)) {
    throw RuntimeError("async generator raised StopAsyncIteration");
  }
  if (Is<GeneratorExit>(error)) {
    closed_ = true;
    if (method == Method::kClose) return false;
  }
  std::rethrow_exception(error);
}

void AsyncGeneratorState::LastIsGone() noexcept {
  EventLoop* const owner = loop();
  if (!finished() && begun_ && !finalized_ && owner != nullptr &&
      !owner->IsClosed() && !CoreOf(*owner).tearing_down()) {
    finalized_ = true;
    Forget();
    Ref<AsyncGeneratorState> self(this);
    owner->CallSoon([owner, self = std::move(self)]() mutable {
      CreateTaskIn(*owner, Close(std::move(self)), {},
                   std::source_location::current());
    });
    return;
  }
  Destroy();
  delete this;
}

}  // namespace internal

Coro<void> EventLoop::ShutdownAsyncgens() {
  std::vector<Coro<void>> closing;
  async_generators_.ForEach([&closing](internal::AsyncGeneratorNode& node) {
    closing.push_back(
        internal::Close(internal::Ref<internal::AsyncGeneratorState>(
            &static_cast<internal::AsyncGeneratorState&>(node))));
    node.Forget();
  });
  if (closing.empty()) co_return;
  auto all = Gather(kReturnExceptions, std::move(closing));
  std::vector<Outcome<void>> outcomes = co_await all;
  for (const Outcome<void>& outcome : outcomes) {
    if (outcome.ok() || internal::IsBaseOnly(outcome.exception())) continue;
    CallExceptionHandler(
        {.source = ExceptionContext::Source::kAsyncGenerator,
         .message = "an error occurred during closing of an asynchronous "
                    "generator",
         .exception = outcome.exception()});
  }
}

}  // namespace clotho
