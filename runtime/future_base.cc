#include "clotho/runtime/future_base.h"

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/task_base.h"

namespace clotho::internal {
namespace {

// Identifies callbacks for RemoveDoneCallback; never displayed.
thread_local constinit std::uint64_t next_callback_id = 1;

}  // namespace

DoneCallback::DoneCallback(ContextSlot context)
    : Runnable(RunnableKind::kCallback),
      id_(next_callback_id++),
      context_(std::move(context)) {}

DoneCallback::~DoneCallback() = default;

void DoneCallback::Schedule(FutureBase& future) {
  CLOTHO_DCHECK(future.done() && !future_,
                "a callback is scheduled once, when its future is done");
  future_ = Ref<FutureBase>(&future);
  set_chain(CoreOf(*future.loop()).current_chain());
}

void DoneCallback::Run() {
  EventLoop* const loop = future_->loop();
  // The callback is deleted at the end, on every path, and its future last.
  const Ref<FutureBase> future = future_;
  struct Deleter {
    DoneCallback* callback;
    ~Deleter() { callback->Drop(); }
  } deleter{this};
  ContextScope scope(context_);
  try {
    Call(*future);
  } catch (const CriticalException&) {
    throw;
  } catch (...) {
    loop->CallExceptionHandler({.source = ExceptionContext::Source::kCallback,
                                .message = "Exception in callback",
                                .exception = std::current_exception(),
                                .future = future.get()});
  }
}

FutureBase::FutureBase(EventLoop& loop, Storage storage)
    : loop_(&loop), references_(storage == Storage::kEmbedded ? 1 : 0) {
  SyncMake(this);
  if (storage == Storage::kCounted) CoreOf(loop).Register(*this);
}

void FutureBase::Destroy() noexcept {
  CLOTHO_DCHECK(references_ == 0, "a future that is held is not destroyed");
  if (unretrieved_) {
    unretrieved_ = false;
    references_ = 1;  // The handler may inspect it.
    const ExceptionContext context{
        .source = ExceptionContext::Source::kNeverRetrieved,
        .message = absl::StrCat(KindName(), " exception was never retrieved"),
        .exception = exception(),
        .future = this,
        .task = AsTask()};
    ReportFromDestructor(loop_, context);
    if (--references_ > 0) return;  // The handler has kept it.
  }
  delete this;
}

void FutureBase::CheckPending() const {
  if (done()) {
    SyncRead(this);
    throw InvalidStateError(
        state_ == State::kCancelled
            ? "the future was cancelled: it takes no result any more; ask "
              "Done() first"
            : "the future is done: it takes no second result; ask Done() "
              "first");
  }
}

bool FutureBase::Cancel(const Text& message) {
  SyncWrite(this);
  unretrieved_ = false;
  if (done()) return false;
  FinishCancelled(message, nullptr);
  return true;
}

void FutureBase::SetException(std::exception_ptr exception) {
  CheckPending();
  FinishWithException(std::move(exception));
}

void FutureBase::FinishWithException(std::exception_ptr exception) {
  Extras().exception = std::move(exception);
  unretrieved_ = true;
  Finish(State::kFinished);
}

void FutureBase::FinishCancelled(const Text& message,
                                 std::exception_ptr exception) {
  if (message || exception != nullptr) {
    FutureExtras& extras = Extras();
    extras.cancel_message = message;
    extras.exception = std::move(exception);
  }
  Finish(State::kCancelled);
}

EventLoop& FutureBase::LiveLoop() const {
  if (loop_ == nullptr) throw RuntimeError("Event loop is closed");
  return *loop_;
}

void FutureBase::Finish(State state) {
  CLOTHO_DCHECK(state_ == State::kPending && state != State::kPending,
                "a future becomes done once");
  SyncRelease(this);
  state_ = state;
  if (waiters_.empty()) return;
  CoreOf(LiveLoop()).CheckOpen();
  do {
    Runnable& waiter = waiters_.front();
    waiter.Unlink();
    if (waiter.kind() == RunnableKind::kCallback) {
      static_cast<DoneCallback&>(waiter).Schedule(*this);
    }
    CoreOf(*loop_).Push(waiter);
  } while (!waiters_.empty());
}

void FutureBase::ThrowOutcome() {
  SyncRead(this);
  if (state_ == State::kPending) {
    throw InvalidStateError(
        "Result is not set: the future is pending; co_await it, or ask "
        "Done() first");
  }
  SyncAcquire(this);
  unretrieved_ = false;
  if (extras_ == nullptr) throw CancelledError();
  if (extras_->exception != nullptr) {
    if (state_ == State::kFinished) std::rethrow_exception(extras_->exception);
    std::rethrow_exception(std::exchange(extras_->exception, nullptr));
  }
  ThrowCancelledError(extras_->cancel_message);
}

std::exception_ptr FutureBase::GetException() {
  SyncRead(this);
  if (state_ == State::kPending) {
    throw InvalidStateError(
        "Exception is not set: the future is pending; co_await it, or ask "
        "Done() first");
  }
  if (state_ == State::kCancelled) ThrowOutcome();
  SyncAcquire(this);
  unretrieved_ = false;
  return exception();
}

bool FutureBase::OutcomeIsCancelledError() const {
  if (state_ == State::kCancelled) return true;
  return state_ == State::kFinished && has_exception() &&
         Classify(exception()) == ExceptionFamily::kCancelled;
}

std::exception_ptr FutureBase::OutcomeAsException() {
  SyncAcquire(this);
  unretrieved_ = false;
  if (state_ != State::kCancelled) return exception();
  if (has_exception()) return std::exchange(extras_->exception, nullptr);
  return std::make_exception_ptr(CancelledError(ToString(cancel_message())));
}

std::uint64_t FutureBase::AddDoneCallback(DoneCallback* callback) {
  SyncWrite(this);
  const std::uint64_t id = callback->id();
  if (!done()) {
    AddWaiter(*callback);
    return id;
  }
  if (loop_ == nullptr ||
      (loop_->IsClosed() && !CoreOf(*loop_).tearing_down())) {
    callback->Drop();
    throw RuntimeError("Event loop is closed");
  }
  callback->Schedule(*this);
  CoreOf(*loop_).Push(*callback);
  return id;
}

int FutureBase::RemoveDoneCallback(std::uint64_t id) {
  SyncWrite(this);
  Runnable* const found = waiters_.Find([id](const Runnable& waiter) {
    return waiter.kind() == RunnableKind::kCallback &&
           static_cast<const DoneCallback&>(waiter).id() == id;
  });
  if (found == nullptr) return 0;
  found->Unlink();
  found->Drop();
  return 1;
}

void FutureBase::DropWaiters() noexcept {
  while (!waiters_.empty()) {
    Runnable& waiter = waiters_.front();
    waiter.Unlink();
    waiter.Drop();
  }
}

Runnable* FutureBase::FirstEventualStep() const {
  Runnable* led = nullptr;
  waiters_.ForEach([&led](Runnable& waiter) {
    if (led != nullptr) return;
    if (Runnable* const candidate = waiter.EventualStep()) {
      if (candidate->kind() == RunnableKind::kTask) led = candidate;
    }
  });
  return led;
}

void FutureBase::Explain(WaitInfo& info) const { info.what = KindName(); }

}  // namespace clotho::internal
