#include "clotho/runtime/generator.h"

#include <exception>
#include <utility>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"

namespace clotho::internal {

bool GeneratorBase::MayContinue(bool sends_value) const {
  if (promise_ == nullptr) return false;
  if (promise_->running_) {
    throw ValueError(
        "generator already executing: it cannot be asked from inside of "
        "itself");
  }
  if (sends_value && !promise_->begun_) {
    throw TypeError(
        "can't send a value to a just-started generator: it stands at no "
        "co_yield yet; call Next() first");
  }
  return true;
}

bool GeneratorBase::Continue() {
  GeneratorPromiseBase& promise = *promise_;
  promise.begun_ = promise.running_ = true;
  promise.handle().resume();
  promise.running_ = false;
  if (!promise.handle().done()) return true;
  const std::exception_ptr error = std::move(promise.error_);
  Destroy();
  if (error != nullptr) std::rethrow_exception(error);
  return false;
}

bool GeneratorBase::ContinueWith(std::exception_ptr exception) {
  if (exception == nullptr) {
    throw TypeError("Throw takes an exception, not a null pointer");
  }
  if (MayContinue(/*sends_value=*/false) && promise_->begun_) {
    promise_->thrown_in_.Set(std::move(exception));
    return Continue();
  }
  Destroy();
  std::rethrow_exception(exception);
}

void GeneratorBase::Close() {
  if (!MayContinue(/*sends_value=*/false)) return;
  if (!promise_->begun_) {
    Destroy();
    return;
  }
  bool has_yielded = false;
  try {
    has_yielded = ContinueWith(std::make_exception_ptr(GeneratorExit()));
  } catch (const GeneratorExit&) {
  }
  if (has_yielded) throw RuntimeError("generator ignored GeneratorExit");
}

void GeneratorBase::Destroy() noexcept {
  if (promise_ != nullptr) {
    std::exchange(promise_, nullptr)->handle().destroy();
  }
}

void GeneratorBase::Drop() noexcept {
  try {
    Close();
  } catch (...) {
    ReportFromDestructor(running_loop,
                         {.message = "Exception ignored in a generator that "
                                     "was dropped",
                          .exception = std::current_exception()});
  }
  Destroy();
}

}  // namespace clotho::internal
